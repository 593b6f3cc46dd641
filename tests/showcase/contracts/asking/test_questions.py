"""What a question wants is told by its words, and nothing is guessed."""

import pytest

from mainspring.foundation.ids import new_id
from mainspring.orchestration.tools import ToolError
from mainspring.showcase.contracts.asking.naming import contracts_in, find_contract
from mainspring.showcase.contracts.asking.questions import (
    Amend,
    CompareThem,
    ComputeDate,
    Find,
    ReadOne,
    read_question,
    rule_of,
)
from mainspring.showcase.contracts.asking.types import DateRule, Shelved
from mainspring.showcase.contracts.types import ContractId

ACME = Shelved(ContractId(new_id()), "Acme MSA 2024.pdf", "Master Services Agreement")
GLOBEX = Shelved(ContractId(new_id()), "globex-services.docx", "Master Services Agreement")
SHELF = (ACME, GLOBEX)


@pytest.mark.parametrize(
    ("question", "rule"),
    [
        ("By when must we give notice to stop renewal?", DateRule.NOTICE_DEADLINE),
        ("What is the deadline for a non-renewal notice?", DateRule.NOTICE_DEADLINE),
        ("When does the contract expire?", DateRule.END),
        ("What is the expiration date?", DateRule.END),
        ("When does it take effect?", DateRule.START),
        ("Which law governs?", None),
        ("Who may assign the contract?", None),
    ],
)
def test_words_of_time_ask_for_a_date(question: str, rule: DateRule | None):
    assert rule_of(question) is rule


def test_a_contract_is_named_by_id_by_file_or_by_a_word_of_its_own():
    assert contracts_in(f"What does {GLOBEX.public_id} say?", SHELF) == (GLOBEX,)
    assert contracts_in("what does acme msa 2024 say?", SHELF) == (ACME,)
    assert contracts_in("What does Globex owe?", SHELF) == (GLOBEX,)
    assert contracts_in("What services are owed under the master agreement?", SHELF) == ()


def test_a_name_that_fits_two_contracts_is_refused_with_both():
    with pytest.raises(ToolError, match=r"Acme MSA 2024 .* globex-services"):
        find_contract("Master Services Agreement", SHELF)
    with pytest.raises(ToolError, match="There is no contract 'Initech'"):
        find_contract("Initech", SHELF)
    assert find_contract("the Acme MSA", SHELF) == ACME


def test_questions_are_told_apart():
    assert read_question("Compare liability in Acme and Globex", SHELF, topic="Cap on Liability") == CompareThem(
        (ACME, GLOBEX), "Cap on Liability"
    )
    assert read_question("When does Acme expire?", SHELF, topic=None) == ComputeDate(
        ACME, DateRule.END, "When does Acme expire?"
    )
    assert read_question("Read clause 14.2 of Acme", SHELF, topic=None) == ReadOne(ACME, "14.2")
    assert read_question("May we audit?", SHELF, topic=None) == Find("May we audit?", None)
    assert read_question(f"In {ACME.public_id}: May we audit?", SHELF, topic=None) == Find("May we audit?", ACME)


def test_an_amendment_is_dictated_letter_for_letter():
    wanted = read_question("Amend clause 7.2 of Acme to read: “Sixty (60) days.” because we asked.", SHELF, topic=None)
    assert wanted == Amend("Acme", "7.2", "Sixty (60) days.", "we asked.")


def test_talk_about_amending_is_no_amendment():
    assert isinstance(read_question("May the supplier amend clause 7.2 of Acme?", SHELF, topic=None), ReadOne)

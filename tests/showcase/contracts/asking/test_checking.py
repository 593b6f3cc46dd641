"""A model's answer is brought down to what the contracts say."""

from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import new_id
from mainspring.showcase.contracts.asking.checking import Checked, check_answer
from mainspring.showcase.contracts.asking.types import Opened, Shelved
from mainspring.showcase.contracts.types import ContractId
from tests.showcase.contracts.contract_by_hand import contract

LAW = "9.1 This Agreement is governed by the laws of Delaware."
NOTICE = "9.2 Either party may terminate on thirty (30) days’ written notice."
ANALYSIS = contract(LAW, NOTICE)
OPENED = Opened(Shelved(ContractId(new_id()), "Acme MSA.pdf"), ANALYSIS.document, ANALYSIS.chunks, ())
ID = OPENED.contract.public_id
AT = ANALYSIS.document.text.index(NOTICE)


async def open_contract(contract: str) -> Opened:
    if contract != ID:
        raise NotFound("There is no such contract.")
    return OPENED


async def check(text: str, *computed: str) -> Checked:
    return await check_answer(text, open_contract, computed=computed)


def mark(quote: str, start: int = 0, end: int = 60, contract: str = ID) -> str:
    return f'[{contract}#{start}-{end} "{quote}"]'


async def test_a_sentence_whose_quote_stands_is_kept_with_its_true_place():
    checked = await check(f"The Acme MSA is governed by the laws of Delaware {mark('the laws of Delaware')}.")
    (sentence,) = checked.sentences
    (cited,) = sentence.citations
    assert sentence.text == "The Acme MSA is governed by the laws of Delaware"
    assert ANALYSIS.document.text[cited.start : cited.end] == cited.quote == "the laws of Delaware"
    assert (cited.clause, cited.contract, checked.dropped) == ("9.1", ID, 0)


async def test_quotation_marks_and_blanks_may_differ_and_the_contracts_own_words_are_shown():
    checked = await check(
        f"Either party may terminate on 30 days' notice {mark('on thirty (30)  days’ written notice', AT, AT + 70)}"
    )
    assert checked.sentences[0].citations[0].quote == "on thirty (30) days’ written notice"


async def test_a_quote_that_is_not_in_the_text_is_dropped_and_counted():
    checked = await check(f"The contract is governed by the laws of Nevada {mark('the laws of Nevada')}.")
    assert checked.sentences == ()
    assert checked.dropped == 2  # the quote, and the sentence that is left without one


async def test_a_sentence_that_says_more_than_its_quote_is_dropped():
    checked = await check(f"Either party may terminate on ninety days' notice {mark('written notice', AT, AT + 70)}.")
    assert (checked.sentences, checked.dropped) == ((), 1)


async def test_sentences_without_a_source_are_dropped_and_the_others_stay():
    checked = await check(
        f"Here is what I found. It is governed by the laws of Delaware {mark('laws of Delaware')}. Sign it now!"
    )
    assert [sentence.text for sentence in checked.sentences] == ["It is governed by the laws of Delaware"]
    assert checked.dropped == 2


async def test_a_contract_that_the_asker_may_not_read_cannot_be_cited():
    other = "ctr_" + "0" * 26
    checked = await check(f"It is governed by the laws of Delaware {mark('laws of Delaware', contract=other)}.")
    assert (checked.sentences, checked.dropped) == ((), 2)


async def test_a_computed_date_may_be_said_where_its_source_is_cited():
    text = f"Notice must be given by 2 June 2025 {mark('written notice', AT, AT + 70)}."
    assert (await check(text)).sentences == ()
    assert (
        len(
            (
                await check(text, "31 August 2025 - 90 days = 2 June 2025, the day on which notice must be given.")
            ).sentences
        )
        == 1
    )


async def test_places_outside_the_text_are_no_places():
    assert (await check(f"It is governed by law [{ID}#100000-100010].")).sentences == ()

"""The pages about playbooks are true: examples run, and every key, word and category is in the reference."""

import re
from pathlib import Path

from mainspring.showcase.contracts.categories import CATEGORIES
from mainspring.showcase.contracts.cues import GAP_WORDS, MAX_CHARACTERS, MAX_ELEMENTS
from mainspring.showcase.contracts.evidence import POSSIBLE, PRESENT
from mainspring.showcase.contracts.kinds import ContractKind
from mainspring.showcase.contracts.notices import LANGUAGE_RULE, REVIEWER_RULE
from mainspring.showcase.contracts.playbook import MAX_RULES, parse_playbook
from mainspring.showcase.contracts.playbook_yaml import MAX_CHARACTERS as MAX_PLAYBOOK
from mainspring.showcase.contracts.types import Severity

_DOCS = Path(__file__).parents[3] / "docs"
_REFERENCE = (_DOCS / "reference" / "playbook.md").read_text(encoding="utf-8")
_HOWTO = (_DOCS / "howto" / "write-a-playbook.md").read_text(encoding="utf-8")


def test_the_examples_of_the_guide_make_a_playbook() -> None:
    head, *rules = re.findall(r"```yaml\n(.*?)```", _HOWTO, re.DOTALL)
    playbook = parse_playbook(head + "rules:\n" + "".join(rules))
    assert [rule.id for rule in playbook.rules] == ["liability-cap-low", "logo-use"]


def test_the_reference_names_every_category_with_its_description() -> None:
    for category in CATEGORIES.values():
        assert f"| {category.name} | {category.description} |" in _REFERENCE


def test_the_reference_names_every_word_and_limit() -> None:
    words = [*Severity, *ContractKind, LANGUAGE_RULE, REVIEWER_RULE]
    keys = "name title side description rules id kind severity why category suggestion applies_to except_for cues"
    keys += " looks_for unless unless_elsewhere within any_of at_least at_most fact allowed refused"
    for word in [*words, *keys.split()]:
        assert f"`{word}`" in _REFERENCE, word
    for limit in (f"{MAX_PLAYBOOK:,} characters", f"{MAX_RULES} rules", f"at most {MAX_ELEMENTS} parts"):
        assert limit in _REFERENCE
    assert f"{MAX_CHARACTERS} characters" in _REFERENCE
    assert f"a probability of at least {round(POSSIBLE * 100)} %" in " ".join(_REFERENCE.split())
    assert f"a probability of at least {round(PRESENT * 100)} %" in " ".join(_REFERENCE.split())
    assert GAP_WORDS == 8
    assert "up to eight words" in _REFERENCE

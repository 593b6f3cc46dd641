"""Reading playbooks: all problems at once, each with its place and its remedy; hostile YAML refused fast."""

import pytest

from mainspring.showcase.contracts.categories import CATEGORY_NAMES
from mainspring.showcase.contracts.errors import InvalidPlaybook
from mainspring.showcase.contracts.kinds import ContractKind
from mainspring.showcase.contracts.playbook import (
    DEFAULT_PLAYBOOKS,
    MAX_RULES,
    default_playbook,
    default_playbook_text,
    parse_playbook,
)
from mainspring.showcase.contracts.quantities import Quantity, Unit
from mainspring.showcase.contracts.rules import AllowedValues, Limit, Playbook, RequiredClause, Side, TextCue
from mainspring.showcase.contracts.types import FactName, Severity

_HEAD = "name: ours\ntitle: Our own\nside: custom\nrules:\n"
_RULE = """\
  - id: {id}
    kind: {kind}
    severity: high
    title: A title
    why: A reason that is long enough.
"""


def _rule(*lines: str, kind: str = "required", id: str = "a-rule") -> str:  # noqa: A002 - the key's name
    return _RULE.format(id=id, kind=kind) + "".join(f"    {line}\n" for line in lines)


def _problems(text: str) -> list[str]:
    with pytest.raises(InvalidPlaybook) as caught:
        parse_playbook(text)
    return [str(problem) for problem in caught.value.problems]


def _only(text: str) -> str:
    problems = _problems(text)
    assert len(problems) == 1, problems
    return problems[0]


def test_every_kind_of_rule_is_read() -> None:
    playbook = parse_playbook(
        _HEAD
        + _rule("category: Insurance", "cues: [keep insurance]", id="one")
        + _rule("category: Non-Compete", "unless: [may compete]", kind="forbidden", id="two")
        + _rule("fact: liability_cap", "at_least: 12 months of fees", kind="limit", id="three")
        + _rule("fact: governing_law", "refused: [Utopia]", kind="allowed", id="four")
        + _rule("any_of: [a b]", "within: [Audit Rights]", "unless_elsewhere: [c]", kind="cue", id="five")
    )
    assert isinstance(playbook, Playbook)
    assert (playbook.name, playbook.title, playbook.side) == ("ours", "Our own", Side.CUSTOM)
    one, _, three, four, five = playbook.rules
    assert isinstance(one.test, RequiredClause)
    assert one.severity is Severity.HIGH
    assert three.test == Limit(FactName.LIABILITY_CAP, Quantity(12, Unit.FEE_MONTHS))
    assert four.test == AllowedValues(FactName.GOVERNING_LAW, refused=("Utopia",))
    assert isinstance(five.test, TextCue)
    assert five.test.within == ("Audit Rights",)


@pytest.mark.parametrize("name", DEFAULT_PLAYBOOKS)
def test_the_default_playbooks_are_valid(name: str) -> None:
    playbook = default_playbook(name)
    assert playbook.name == playbook.side.value == name
    assert len(playbook.rules) >= 18


def test_an_unknown_default_playbook_names_those_there_are() -> None:
    with pytest.raises(LookupError, match="buyer and vendor"):
        default_playbook_text("../../secrets")


def test_all_problems_are_listed_at_once_in_order_of_lines() -> None:
    text = "name: Our Own\ntitle: Ours\nside: seller\nrules:\n" + _rule("category: Insurence", kind="requird")
    assert _problems(text) == [
        "line 1, name: 'Our Own' is not a name; use lower-case letters, digits and hyphens, like liability-cap.",
        "line 3, side: 'seller' is not one of buyer, vendor or custom.",
        "line 6, rules[0].kind: 'requird' is not one of required, forbidden, limit, allowed or cue."
        " Did you mean 'required'?",
        "line 10, rules[0].category: 'Insurence' is not one of the 38 categories. Did you mean 'Insurance'?",
    ]


def test_the_error_says_how_many_problems_there_are_and_is_a_422() -> None:
    with pytest.raises(InvalidPlaybook) as caught:
        parse_playbook("name: x")
    assert (caught.value.status, caught.value.code) == (422, "invalid_playbook")
    assert caught.value.detail.startswith("The playbook was not saved; it has 3 problems:\nline 1, title: is missing.")


@pytest.mark.parametrize(
    ("lines", "kind", "expected"),
    [
        (
            ("category: Insurance", "servrity: low"),
            "required",
            "'servrity' is not a key here. Did you mean 'severity'?",
        ),
        (("category: Insurance", "at_most: 12 months"), "required", "'at_most' is not a key here."),
        ((), "required", "a required rule needs a category, or cues"),
        (("cues: [insure]",), "required", "needs looks_for"),
        (("cues: [insure]",), "forbidden", "use kind: cue"),
        (("fact: term",), "limit", "needs at_least or at_most"),
        (("at_most: 12 months",), "limit", "needs a fact, cues or a category"),
        (("fact: term", "at_most: a while"), "limit", "'a while' is not a quantity; write it like \"60 days\""),
        (("fact: term", "at_most: 0 days"), "limit", "'0 days' is not a quantity"),
        (("fact: term", "at_least: 9 months", "at_most: 3 months"), "limit", "at_least the smaller amount"),
        (("fact: term", "at_least: 9 days", "at_most: 30 months"), "limit", "need the same unit"),
        (("fact: price", "at_most: 3 days"), "limit", "'price' is not one of parties"),
        (("fact: governing_law",), "allowed", "either allowed or refused"),
        (("fact: governing_law", "allowed: [A]", "refused: [B]"), "allowed", "either allowed or refused"),
        (("unless: [a]",), "cue", "needs any_of"),
        (("any_of: []",), "cue", "must be a list with at least one entry"),
        (("any_of: one",), "cue", "must be a list with at least one entry"),
        (("any_of: ['(a|']",), "cue", "is not a cue"),
        (("any_of: [[a]]",), "cue", "must be text, and not empty"),
        (("any_of: [a]", "within: [Insuranc]"), "cue", "Did you mean 'Insurance'?"),
        (("category: Insurance", "applies_to: [ndas]"), "required", "Did you mean 'nda'?"),
        (("category: Insurance", "applies_to: [nda]", "except_for: [supply]"), "required", "Keep one of them"),
        (("category: {a: b}",), "required", "must be text, not a list or a mapping"),
    ],
)
def test_a_wrong_rule_is_told_what_is_wrong_with_it(lines: tuple[str, ...], kind: str, expected: str) -> None:
    assert expected in _only(_HEAD + _rule(*lines, kind=kind))


def test_a_wrong_entry_of_a_list_is_named_with_its_own_line() -> None:
    text = _HEAD + _rule("any_of:", "  - fine", "  - '[x]'", kind="cue")
    assert _only(text).startswith("line 12, rules[0].any_of[1]: '[x]' is not a cue")


def test_two_rules_cannot_share_an_id() -> None:
    text = _HEAD + _rule("category: Insurance") + _rule("category: Audit Rights")
    assert "'a-rule' is already the id of the rule on line 5" in _only(text)


def test_lengths_are_limited() -> None:
    assert "needs 20 to 1,000" in _only(
        _HEAD + _rule("category: Insurance").replace("A reason that is long enough.", "Short.")
    )
    assert "needs 1 to 120" in _only(_HEAD + _rule("category: Insurance").replace("A title", "A" * 121))


def test_a_rule_can_be_kept_to_some_kinds_of_contract() -> None:
    playbook = parse_playbook(
        _HEAD
        + _rule("category: Insurance", "applies_to: [nda]", id="one")
        + _rule("category: Insurance", "except_for: [nda]", id="two")
    )
    assert [rule.id for rule in playbook.rules_for(ContractKind.NDA)] == ["one"]
    assert [rule.id for rule in playbook.rules_for(ContractKind.OTHER)] == ["two"]


def test_words_that_yaml_would_turn_into_something_else_stay_words() -> None:
    text = _HEAD.replace("title: Our own", "title: no") + _rule("category: Insurance", id="1984")
    playbook = parse_playbook(text)
    assert (playbook.title, playbook.rules[0].id) == ("no", "1984")


_BOMB = "a: &a [x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ("just text", "a playbook is a mapping"),
        ("- a\n- b\n", "a playbook is a mapping"),
        (_BOMB, "anchors and aliases"),
        ("name: *nowhere\n", "anchors and aliases"),
        ("name: !!python/object/apply:os.system [id]\n", "the tag"),
        ("name: !!binary aGk=\n", "the tag"),
        ("name: a\n---\nname: b\n", "a second document"),
        ("a: [1, 2\n", "this is not YAML"),
        ("a: 'open\n", "this is not YAML"),
        ("\tname: x\n", "this is not YAML"),
        ("a: b: c\n", "this is not YAML"),
        ("name: \x00\n", "this is not YAML"),
        ("[" * 3000, "nested more than"),
        ("\n".join("  " * depth + "a:" for depth in range(40)), "nested more than"),
        ("x: [" + "1," * 30_000 + "]", "more than 20,000 values"),
        ("#" + "x" * 200_001, "200,002 characters; a playbook has at most 200,000"),
    ],
)
def test_hostile_yaml_is_refused_before_a_tree_is_built(text: str, expected: str) -> None:
    assert expected in _only(text)


def test_a_repeated_key_is_refused() -> None:
    assert "the key 'title' stands twice, first on line 2" in _only(
        _HEAD.replace("side:", "title: Other\nside:") + _rule("category: Insurance")
    )


def test_too_many_rules_are_refused() -> None:
    rules = "".join(_rule("category: Insurance", id=f"rule-{number}") for number in range(MAX_RULES + 1))
    assert f"at most {MAX_RULES}" in _only(_HEAD + rules)


def test_rules_that_are_no_mappings_are_refused() -> None:
    assert "a rule is a mapping" in _only(_HEAD + "  - just text\n")
    assert "a playbook needs a list of at least one rule" in _only(_HEAD.replace("rules:", "rules: []"))


def test_a_long_value_is_cut_in_the_message() -> None:
    assert len(_only(_HEAD + _rule(f"category: {'x' * 150}"))) < 300


def test_every_category_may_be_named_in_a_rule() -> None:
    rules = "".join(_rule(f'category: "{name}"', id=f"rule-{number}") for number, name in enumerate(CATEGORY_NAMES))
    assert [rule.category for rule in parse_playbook(_HEAD + rules).rules] == list(CATEGORY_NAMES)

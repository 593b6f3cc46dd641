"""Every rule of the two playbooks that ship: it fires where it should, and only there."""

from dataclasses import replace

import pytest

from mainspring.showcase.contracts.assessment import assess
from mainspring.showcase.contracts.playbook import DEFAULT_PLAYBOOKS, default_playbook
from mainspring.showcase.contracts.rules import ForbiddenClause, Rule
from mainspring.showcase.contracts.types import Analysis, AssessedFinding, Fact
from tests.showcase.contracts.contract_by_hand import Clause, contract, fact
from tests.showcase.contracts.playbook_examples import BUYER, VENDOR, Example

_EXAMPLES = [("buyer", example) for example in BUYER] + [("vendor", example) for example in VENDOR]
_FORBIDDEN = [
    (name, rule.id)
    for name in DEFAULT_PLAYBOOKS
    for rule in default_playbook(name).rules
    if isinstance(rule.test, ForbiddenClause)
]
_VALUE = "1.1 The value stands here."


def _rule(playbook: str, rule: str) -> Rule:
    return next(each for each in default_playbook(playbook).rules if each.id == rule)


def _findings(playbook: str, rule: str, analysis: Analysis, facts: tuple[Fact, ...] = ()) -> list[AssessedFinding]:
    held = _rule(playbook, rule)
    alone = replace(default_playbook(playbook), rules=(held,))
    return list(assess(alone, analysis, facts, contract_kind=min(held.applies_to)))


def _held_against(playbook: str, example: Example, text: str) -> list[AssessedFinding]:
    if example.fact is None:
        return _findings(playbook, example.rule, contract(text))
    analysis = contract(_VALUE)
    value = fact(analysis, example.fact, text, text, quote="The value stands here.")
    return _findings(playbook, example.rule, analysis, (value,))


@pytest.mark.parametrize(("playbook", "example"), _EXAMPLES, ids=lambda value: getattr(value, "rule", value))
def test_a_rule_fires_once_on_its_example(playbook: str, example: Example) -> None:
    found = _held_against(playbook, example, example.fires)
    assert [finding.rule for finding in found] == [example.rule]
    assert found[0].severity is _rule(playbook, example.rule).severity
    assert found[0].suggestion


@pytest.mark.parametrize(("playbook", "example"), _EXAMPLES, ids=lambda value: getattr(value, "rule", value))
def test_a_rule_keeps_quiet_on_its_counterexample(playbook: str, example: Example) -> None:
    assert _held_against(playbook, example, example.quiet) == []


@pytest.mark.parametrize("playbook", DEFAULT_PLAYBOOKS)
def test_every_rule_has_an_example(playbook: str) -> None:
    examples = {example.rule for name, example in _EXAMPLES if name == playbook}
    assert examples == {rule.id for rule in default_playbook(playbook).rules}


@pytest.mark.parametrize(("playbook", "rule"), _FORBIDDEN)
def test_a_forbidden_clause_is_found_by_its_label_alone(playbook: str, rule: str) -> None:
    category = _rule(playbook, rule).category or ""
    analysis = contract(Clause("3.1 Words that no cue knows stand in this clause.", {category: 0.8}))
    found = _findings(playbook, rule, analysis)
    assert [finding.confidence for finding in found] == [0.8]
    assert found[0].citations[0].quote == "3.1 Words that no cue knows stand in this clause."


@pytest.mark.parametrize(("playbook", "rule"), _FORBIDDEN)
def test_an_improbable_label_is_not_reported_as_a_clause(playbook: str, rule: str) -> None:
    category = _rule(playbook, rule).category or ""
    analysis = contract(Clause("3.1 Words that no cue knows stand in this clause.", {category: 0.3}))
    assert _findings(playbook, rule, analysis) == []


@pytest.mark.parametrize("playbook", DEFAULT_PLAYBOOKS)
def test_what_a_default_playbook_says_can_be_shown_to_the_other_side(playbook: str) -> None:
    for rule in default_playbook(playbook).rules:
        assert rule.title[0].isupper()
        assert not rule.title.endswith(".")
        assert rule.why.endswith(".")
        assert rule.suggestion
        assert rule.suggestion.endswith(".")

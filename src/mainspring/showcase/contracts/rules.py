"""Playbooks: what one side of a contract asks for, as rules a machine can check.

A rule says why it matters, how bad it is and what to propose instead; its `test` says when it
fires. The tests are a tagged union: a clause that must be there, one that must not, a limit on a
value, a list of accepted values, a wording inside a clause. `docs/reference/playbook.md` is the
reference of the YAML form, and `parse_playbook` reads it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from .cues import Cue
from .kinds import ContractKind
from .quantities import Quantity
from .types import FactName, Severity

__all__ = [
    "AllowedValues",
    "ForbiddenClause",
    "Limit",
    "Playbook",
    "RequiredClause",
    "Rule",
    "RuleTest",
    "Side",
    "TextCue",
]


class Side(StrEnum):
    """Whom the playbook protects."""

    BUYER = "buyer"
    VENDOR = "vendor"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class RequiredClause:
    """Fires when the contract holds no clause of the rule's category and none of the cues.

    looks_for   a noun phrase for the explanation, "a duty to ..."; the category's description if None
    """

    cues: tuple[Cue, ...] = ()
    looks_for: str | None = None


@dataclass(frozen=True, slots=True)
class ForbiddenClause:
    """Fires on a clause of the rule's category, or on a cue; not where the clause holds an `unless` cue."""

    cues: tuple[Cue, ...] = ()
    unless: tuple[Cue, ...] = ()


@dataclass(frozen=True, slots=True)
class Limit:
    """Fires on a value below `at_least` or above `at_most`.

    fact   the extracted fact that holds the value; None to measure in the text
    cues   sentences to measure in, when no such fact was extracted; without cues, the clauses
           of the rule's category
    """

    fact: FactName | None = None
    at_least: Quantity | None = None
    at_most: Quantity | None = None
    cues: tuple[Cue, ...] = ()


@dataclass(frozen=True, slots=True)
class AllowedValues:
    """Fires on a fact whose value is not among `allowed`, or is among `refused`; one of them is empty."""

    fact: FactName
    allowed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TextCue:
    """Fires on a sentence that holds a cue.

    unless            not when the same sentence holds one of these
    unless_elsewhere  not when any sentence of the contract holds one of these
    within            only in clauses of these categories; everywhere when empty
    """

    any_of: tuple[Cue, ...]
    unless: tuple[Cue, ...] = ()
    unless_elsewhere: tuple[Cue, ...] = ()
    within: tuple[str, ...] = ()


RuleTest: TypeAlias = RequiredClause | ForbiddenClause | Limit | AllowedValues | TextCue


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing a reviewer looks for.

    id           unique in the playbook; findings and decisions refer to it
    why          what can go wrong, in words that can be shown to the other side
    category     one of CUAD's 38, None where none fits
    suggestion   wording to propose instead
    applies_to   the kinds of contract it is for
    """

    id: str
    severity: Severity
    title: str
    why: str
    test: RuleTest
    category: str | None = None
    suggestion: str | None = None
    applies_to: frozenset[ContractKind] = frozenset(ContractKind)


@dataclass(frozen=True, slots=True)
class Playbook:
    """The rules of one side, in the order in which they were written; `name` is its key."""

    name: str
    title: str
    side: Side
    rules: tuple[Rule, ...]
    description: str = ""

    def rules_for(self, kind: ContractKind) -> tuple[Rule, ...]:
        """The rules that apply to a contract of this kind."""
        return tuple(rule for rule in self.rules if kind in rule.applies_to)

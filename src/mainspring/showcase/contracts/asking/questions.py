"""What a question wants, told by its words: pure and deterministic, for when no model may decide.

Only what the person wrote is read here, never a contract: so no contract can ask for anything.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .naming import contracts_in
from .types import DateRule, Shelved

_COMPARE = re.compile(
    r"\b(?:compar\w+|differ\w*|versus|vs|side by side|each (?:of the )?contracts?|all contracts)\b", re.IGNORECASE
)
_TOPIC = re.compile(r"\b(?:compar\w+|differences?|differ\w*)\b(?:\s+(?:the|between|in|of|how))*\s*", re.IGNORECASE)
_NOTICE = re.compile(
    r"\b(?:deadline|last (?:day|date|chance)|latest|by when|until when|when (?:must|do|does|should|can|is)|how late)\b"
    r".{0,80}\b(?:notice|non-?renew\w*|cancel\w*|opt out|stop\w* .{0,30}renew\w*|terminat\w*|renew\w*)\b"
    r"|\b(?:notice|non-?renewal|cancellation)\b.{0,40}\b(?:deadline|due|last day|latest)\b",
    re.IGNORECASE,
)
_END = re.compile(
    r"\bwhen\b.{0,60}\b(?:ends?|ended|expires?|expired|run(?:s)? out|over)\b|\b(?:end|expir(?:y|ation)) date\b"
    r"|\bhow long\b.{0,60}\b(?:run|last|remain|in force|effect)\w*\b",
    re.IGNORECASE,
)
_START = re.compile(
    r"\bwhen\b.{0,60}\b(?:starts?|begins?|commences?|takes? effect|effective|in force)\b|\b(?:effective|start) date\b",
    re.IGNORECASE,
)
_ID = re.compile(r"\s*\b(?:(?:in|of|under|for|by)\s+)?\(?ctr_[0-9a-z]{26}\)?:?", re.IGNORECASE)
_CLAUSE = re.compile(r"(?:\b(?:clause|section|article|paragraph)|§)\s*(\d+(?:\.\d+)*(?:\([a-z0-9]+\))?)", re.IGNORECASE)
_AMEND = re.compile(
    r"\b(?:amend|change|replace|reword|redraft)\s+(?:(?:clause|section|article)\s+|§\s*)?(?P<clause>\d[\w.()]*)\s+"
    r"(?:of|in)\s+(?:the\s+)?(?P<contract>[^\"“”:]{1,120}?)\s*(?:,|\s)\s*"
    r"(?:to|with|so that it)(?:\s+(?:reads?|says?|be))?\s*:?\s*[\"“](?P<text>.+)[\"”]\s*[.,;]?\s*"
    r"(?:(?:because|since|as|reason:|why:)\s+(?P<why>.+))?$",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Find:
    """Clauses that answer the question, of one contract or of all."""

    question: str
    contract: Shelved | None


@dataclass(frozen=True, slots=True)
class ReadOne:
    """A clause by its number."""

    contract: Shelved
    clause: str


@dataclass(frozen=True, slots=True)
class CompareThem:
    """One topic in several contracts; none named means all."""

    contracts: tuple[Shelved, ...]
    topic: str


@dataclass(frozen=True, slots=True)
class ComputeDate:
    """A date of one contract; `question` is searched besides where the date cannot be computed."""

    contract: Shelved
    rule: DateRule
    question: str


@dataclass(frozen=True, slots=True)
class Amend:
    """A change of wording that the person dictated; `contract` as they named it."""

    contract: str
    clause: str
    new_text: str
    why: str


Wanted = Find | ReadOne | CompareThem | ComputeDate | Amend


def read_question(question: str, shelf: Sequence[Shelved], *, topic: str | None) -> Wanted:
    """What is wanted.

    topic   the category of clause that the question means, if it surely means one
    """
    amend = _AMEND.search(question.strip())
    if amend:
        why = (amend["why"] or "The user asked for it.").strip()
        return Amend(amend["contract"].strip(), amend["clause"].strip("."), amend["text"].strip(), why)
    named = contracts_in(question, shelf)
    if _COMPARE.search(question) and len(named) != 1 and len(shelf) > 1:
        return CompareThem(named, topic or _topic(question, named))
    only = named[0] if len(named) == 1 else shelf[0] if len(shelf) == 1 else None
    asked = _ID.sub(" ", question).strip() or question
    if only is None:
        return Find(asked, None)
    rule = rule_of(question)
    if rule is not None:
        return ComputeDate(only, rule, question)
    clause = _CLAUSE.search(question)
    return ReadOne(only, clause.group(1)) if clause else Find(asked, only)


def rule_of(question: str) -> DateRule | None:
    """The date that a question asks for; None when it asks for none."""
    for pattern, rule in ((_NOTICE, DateRule.NOTICE_DEADLINE), (_END, DateRule.END), (_START, DateRule.START)):
        if pattern.search(question):
            return rule
    return None


def _topic(question: str, named: Sequence[Shelved]) -> str:
    """The question without the names and the words that ask for a comparison."""
    rest = _TOPIC.sub(" ", question)
    for each in named:
        for name in (each.public_id, each.name, each.shown):
            rest = re.sub(re.escape(name), " ", rest, flags=re.IGNORECASE)
    return " ".join(rest.split()) or question

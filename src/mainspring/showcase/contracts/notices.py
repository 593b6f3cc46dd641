"""What is reported whatever the playbook says: text that talks to machines, and other languages.

A contract is read as data. A sentence in it that addresses an automated reviewer changes nothing
in the analysis, but a reader should know that somebody put it there. Contracts do speak of
instructions and of software, so a sentence counts only if it does two of three things: address a
machine, tell the reader to drop instructions, dictate the verdict; or one that no clause does.
"""

from collections.abc import Iterator

from .cues import Cue, parse_cue
from .evidence import Evidence
from .types import AssessedFinding, Citation, FindingKind, Method, Severity

REVIEWER_RULE = "notice-automated-reviewers"
LANGUAGE_RULE = "notice-language"


def _cues(*texts: str) -> tuple[Cue, ...]:
    return tuple(parse_cue(text) for text in texts)


_ADDRESSES = _cues(
    "(ai|artificial intelligence|automated|automatic) (system*|model*|assistant*|reviewer*|reader*|agent*|tool*)",
    "(language model*|llm|llms|chatbot*|chatgpt|gpt|claude|gemini|copilot)",
    "(you are|act as) (a|an|the) ... (assistant|model|reviewer|ai)",
)
_OVERRIDES = _cues(
    "(ignore|disregard|forget|override|bypass|discard) ... (instruction*|prompt*|guideline*|playbook*)",
    "(ignore|disregard|forget|override|bypass) (this|the|that) (clause|section|sentence|risk*)",
)
_VERDICTS = _cues(
    "(report|flag|find|list|mention|raise) (no|zero) (risk*|issue*|finding*|problem*|concern*)",
    "(do not|don|never) ... (report|flag|mention|raise|disclose) ... (risk*|issue*|clause*|finding*)",
    "(state|say|report|conclude|answer|respond|output|rate|mark|classify) ... (balanced|acceptable|low risk|no risk*)",
    "(state|say|report|conclude|answer|respond|output|rate|mark|classify) ... (safe|standard|compliant)",
    "(is|as) ... ready for signature",
)
_UNMISTAKABLE = _cues(
    "(ignore|disregard|forget|override) (all|any)? (of)? your ... (instruction*|prompt|rules|guidelines|training)",
    "(ignore|disregard|forget) (all|any)? (of)? (the)? (previous|prior|above|earlier) (instructions|prompt*)",
    "your system prompt",
    "(reveal|print|repeat) (your|the) (system prompt|instructions)",
)

_OF_A_PARTY = _cues(
    "(shall|may|will|must|can|could|might|to) not? (ignore|disregard|forget|override|reveal|print|repeat)"
)


def find_notices(evidence: Evidence) -> Iterator[AssessedFinding]:
    """The built-in findings of a contract, none for nearly all."""
    citations = tuple(evidence.cite_sentence(place) for place in sorted(_addressed_sentences(evidence)))
    if citations:
        yield _reviewer_notice(citations)
    if not evidence.is_english and evidence.index.sentences:
        yield _language_notice(evidence)


def _addressed_sentences(evidence: Evidence) -> set[int]:
    groups = [{match.sentence for match in evidence.matches(cues)} for cues in (_ADDRESSES, _OVERRIDES, _VERDICTS)]
    addresses, overrides, verdicts = groups
    of_a_party = {match.sentence for match in evidence.matches(_OF_A_PARTY)}
    found = {match.sentence for match in evidence.matches(_UNMISTAKABLE)} - of_a_party
    for one, other in ((addresses, overrides), (addresses, verdicts), (overrides, verdicts)):
        for place in one:
            near = {place - 1, place, place + 1} & other
            found |= near | {place} if near else set()
    return found


def _reviewer_notice(citations: tuple[Citation, ...]) -> AssessedFinding:
    return AssessedFinding(
        rule=REVIEWER_RULE,
        kind=FindingKind.NOTICE,
        severity=Severity.HIGH,
        title="The contract contains text addressed to automated reviewers",
        why=(
            "This text tries to steer software that reads the contract. It had no effect on this analysis: the "
            "contract is read as data, never as instructions. It has no place in a contract, so ask who put it "
            "there, and read the clauses around it with care."
        ),
        category=None,
        citations=citations,
        suggestion="Delete the text.",
        method=Method.RULE,
        confidence=0.95,
    )


def _language_notice(evidence: Evidence) -> AssessedFinding:
    language = evidence.analysis.document.language
    return AssessedFinding(
        rule=LANGUAGE_RULE,
        kind=FindingKind.NOTICE,
        severity=Severity.MEDIUM,
        title="The contract does not seem to be in English",
        why=(
            f"Its main language was recognised as {language!r}. The rules and the classifier know English clauses, so "
            "clauses may have been missed, and those reported as absent may be there in other words."
        ),
        category=None,
        citations=(evidence.cite_sentence(0),),
        suggestion=None,
        method=Method.RULE,
        confidence=0.9,
    )

"""Who decides a dispute: courts or arbitrators, where, and whether that fits the law which governs.

A forum is read where one sentence names both a place and what shall happen there. Courts of a place other than that of
the governing law are legal and common, and yet what a lawyer wants to be told.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mainspring.orchestration.pipelines import Pipeline, StepRun
from mainspring.showcase.contracts.citations import cite
from mainspring.showcase.contracts.extraction.places import PLACE, canonical_place, is_nation_of_states
from mainspring.showcase.contracts.extraction.reading import Reading, Span, phrase
from mainspring.showcase.contracts.pipeline import Analyst, Assessed, Chunked, Classified, Upload
from mainspring.showcase.contracts.types import Analysis, Citation, FactName

_COURTS = phrase(
    r"\b(?:courts?|venue|tribunals?)\b[^.;]{0,60}?\b(?:of|in|for|located|sitting)\b[^.;]{0,40}?"
    rf"\b(?P<place>{PLACE})\b"
)
_COURTS_AFTER = phrase(rf"\b(?P<place>{PLACE})(?:'s)?(?: state| federal| civil| commercial){{0,2}} courts?\b")
_SEAT = phrase(
    r"\b(?:arbitrat(?:ion|ed|ors?)|seat)\b[^.;]{0,120}?\b(?:in|at|of|be|seated in)\b[^.;]{0,40}?"
    rf"\b(?P<place>{PLACE})\b"
)
_SUBMITS = phrase(
    r"\bjurisdiction\b|\bvenue\b|\bsubmits?\b|\bbrought\b|\blitigat|\bexclusive\b|\bdisputes?\b|\bactions?\b"
)
_EXCLUSIVE = re.compile(r"(?<!non-)(?<!non )\bexclusive(?:ly)?\b", re.IGNORECASE)


class ForumKind(StrEnum):
    """Who decides."""

    COURTS = "courts"
    ARBITRATION = "arbitration"


@dataclass(frozen=True, slots=True)
class Forum:
    """Where a dispute goes, with the sentence that says so."""

    kind: ForumKind
    place: str
    is_exclusive: bool
    citation: Citation


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """The forums in the order of the text; `law` as the facts name it, None where none is chosen.

    differs   a forum lies elsewhere than the law that governs
    """

    law: str | None
    forums: tuple[Forum, ...]
    differs: bool


@dataclass(frozen=True, slots=True)
class AfterAssess:
    submitted: Upload
    chunk: Chunked
    classify: Classified
    assess: Assessed


def declare(pipeline: Pipeline, analyst: Analyst) -> None:
    """Add the step to the analysis."""

    @pipeline.step("jurisdiction", title="Find who decides disputes", after=("chunk", "classify", "assess"))
    async def jurisdiction(after: AfterAssess, run: StepRun) -> Jurisdiction:
        """Read the forums and hold them against the governing law."""
        analysis = await analyst.read(run.tenant, after.submitted.document, after.chunk, after.classify)
        law = next((fact.normalized for fact in after.assess.facts if fact.name is FactName.GOVERNING_LAW), None)
        found = await asyncio.to_thread(find_jurisdiction, analysis, law)
        await run.say(describe(found))
        return found


def find_jurisdiction(analysis: Analysis, law: str | None) -> Jurisdiction:
    """The forums of a contract; one for each kind and place, at its first mention."""
    reading = Reading.of(analysis)
    forums: dict[tuple[ForumKind, str], Forum] = {}
    for kind, place, span in _mentions(reading):
        start, end = span
        holder = reading.chunk_at(start)
        citation = cite(analysis.document, start, end, holder.chunk.index if holder else None)
        is_exclusive = bool(_EXCLUSIVE.search(reading.text, start, end))
        forums.setdefault((kind, place), Forum(kind, place, is_exclusive, citation))
    found = tuple(forums.values())
    laws = set((law or "").split("; "))
    return Jurisdiction(law, found, bool(law) and any(not _is_within(forum.place, laws) for forum in found))


def describe(found: Jurisdiction) -> str:
    """The finding in a sentence."""
    if not found.forums:
        return "Found no agreed court or arbitration"
    places = [
        f"{'the courts of ' if forum.kind is ForumKind.COURTS else 'arbitration in '}{forum.place}"
        f"{' alone' if forum.is_exclusive else ''}"
        for forum in found.forums
    ]
    said = f"Disputes go to {' or '.join(places)}"
    return f"{said}, while the law of {found.law} governs" if found.differs else said


def _mentions(reading: Reading) -> Iterator[tuple[ForumKind, str, Span]]:
    for span, text in reading.sentences_with("court", "venue", "arbitrat", "tribunal"):
        for place in _places(text, _SEAT):
            yield ForumKind.ARBITRATION, place, span
        if _SUBMITS.search(text):
            for place in (*_places(text, _COURTS), *_places(text, _COURTS_AFTER)):
                yield ForumKind.COURTS, place, span


def _places(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    """Places of the matches; "courts of the United States" names which courts, not where they are."""
    named = (canonical_place(match.group("place")) for match in pattern.finditer(text))
    return (place for place in named if not is_nation_of_states(place))


def _is_within(place: str, laws: set[str]) -> bool:
    """Whether the place is one of the laws', or the nation that one of them is of: "Ontario, Canada" lies in Canada."""
    return any(place == law or law.endswith(f", {place}") or place.endswith(f", {law}") for law in laws)

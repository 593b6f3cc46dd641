"""Whose law governs: a choosing verb and a jurisdiction in one sentence.

"Organized under the laws of Delaware" chooses nothing, nor do the places after "without regard to
the conflict of laws", nor the courts; each is kept out by the words just before it.
"""

import re
from collections.abc import Iterator

from .places import PLACE, canonical_place, is_nation_of_states
from .reading import Candidate, Reading, Span, Tier, phrase

CATEGORY = "Governing Law"

_CHOOSING = phrase(
    r"\bgovern(?:ed|ing|s)?\b|\bconstru(?:ed|ction|e)\b|\binterpret(?:ed|ation)?\b|\benforced\b|\bapplicable law\b"
    r"|\bchoice of law"
    r"|\bcontrol(?:led)?\b|\bdetermined (?:in accordance|under|by)|\bsubject to\b|\bshall apply\b|\bapplies\b"
    r"|\bapplication of the law"
)
_STRONG = phrase(
    r"\bgovern(?:ed|ing|s)?\b|\bconstrued\b|\binterpreted\b|\bchoice of law|\bdetermined (?:in accordance|under|by)"
    r"|\b(?:interpretation|construction)\b[^.;]{0,160}\b(?:in accordance with|pursuant to|under)\b"
    r"|\blaws?\b[^.;]{0,60}\b(?:shall apply|applies)\b"
    r"|\b(?:subject to|requires) (?:the )?application of\b"
)
_LAWS_OF = phrase(
    r"\b(?:laws?|legislation|statutes)(?: and(?: judicial)? (?:regulations|jurisdiction|decisions)| then| prevailing"
    r"| in force| in effect"
    r"|,[^,.;]{3,60}(?:,[^,.;]{3,60})?,)*,? (?:of|in)?(?: and for)? ?(?:the )?"
    r"(?P<kind>state|commonwealth|province|republic|kingdom|country|sovereign state|territory)?s? ?(?:of)? ?(?:the )?"
    rf"(?P<place>{PLACE})\b"
)
_LAW = phrase(r"\blaws?\b")
_PLACE_BEFORE = phrase(
    rf"\b(?P<place>{PLACE})(?:'s)?(?: state)?(?: substantive| internal| contract| domestic| civil| commercial)* $"
)
_ALSO = phrase(
    r" ?,?(?:,| and| or)? ?(?:of )?(?:the )?(?:laws? of )?(?:the )?(?:state |commonwealth "
    rf"|province )?(?:of )?(?P<place>{PLACE})\b"
)
_NOT_A_CHOICE = re.compile(
    r"\b(?:organized|organised|existing|incorporated|formed|registered|established|amalgamated|constituted|duly"
    r"|conflicts?|choice"
    r"|violat\w+|comply|compliance|standing|permitted|required|law)\b[^.;]{0,25}$",
    re.IGNORECASE,
)
_ASIDE = phrase(
    r"without (?:regard|reference|giving effect|recourse|application|respect)|irrespective|notwithstanding|excluding"
    r"|exclusive of"
    r"|regardless|other than|disregarding|conflicts? of laws?|except (?:for|that|to)"
)
_EXPORT = phrase(r"\bexport|\bpatent act\b|\bsecurities laws?\b|\btax laws?\b|\blaws and regulations\b")
_CONTRACT = phrase(
    r"\b(?:this|the|these) (?:[\w&-]+ ){0,4}(?:agreement|contract|amendment|terms|lease|license|addendum|validity"
    r"|rights)\b"
)


def governing_law(reading: Reading) -> Candidate | None:
    """The law that the contract chooses; several only where one sentence names several."""
    candidates = list(_candidates(reading))
    return max(candidates, key=lambda candidate: candidate.score, default=None)


def _candidates(reading: Reading) -> Iterator[Candidate]:
    for span, text in reading.sentences_with("law", "legislation"):
        evidence = reading.evidence(CATEGORY, span[0])
        choosing = _CHOOSING.search(text)
        if choosing is None:
            continue
        places = _chosen_places(text, choosing.start())
        if not places:
            continue
        is_strong = bool(_STRONG.search(text))
        is_aside = _EXPORT.search(text) is not None
        score = (
            -2.0 * is_aside
            + 2.0 * is_strong
            + bool(_CONTRACT.search(text))
            + evidence
            + 0.4 * ("governing law" in text.lower())
        )
        if score < 1.9:
            continue
        tier = Tier.STATED if is_strong else Tier.CUED
        value = "; ".join(dict.fromkeys(places))
        yield Candidate(value, value, (_clause(span, text),), tier, score - span[0] / (10 * len(reading.text) + 1))


def _chosen_places(text: str, verb: int) -> list[str]:
    aside = _ASIDE.search(text, verb)
    limit = aside.start() if aside else len(text)
    for matches in (_laws_of(text), _laws_after(text)):
        chosen = [match for match in matches if match[1] < limit] or matches[:1]
        names = [name for match in chosen for name in match[0]]
        if names:
            return [name for name in names if not is_nation_of_states(name)] or names
    return []


def _laws_of(text: str) -> list[tuple[list[str], int]]:
    """Places of "the laws of X", with where each stands."""
    return [
        (list(_names(text, match)), match.start("place"))
        for match in _LAWS_OF.finditer(text)
        if not _NOT_A_CHOICE.search(text[max(0, match.start() - 40) : match.start()])
    ]


def _laws_after(text: str) -> list[tuple[list[str], int]]:
    """Places of "X law", with where each stands."""
    found: list[tuple[list[str], int]] = []
    for law in _LAW.finditer(text):
        reach = max(0, law.start() - 60)
        place = _PLACE_BEFORE.search(text, reach, law.start())
        if place and not _NOT_A_CHOICE.search(text[max(0, place.start() - 40) : place.start()]):
            found.append(([canonical_place(place.group("place"))], place.start()))
    return found


def _names(text: str, match: re.Match[str]) -> Iterator[str]:
    kind = match.group("kind") or ""
    yield canonical_place(match.group("place"), is_country=kind.lower() in {"country", "republic"})
    end = match.end()
    while also := _ALSO.match(text, end):
        yield canonical_place(also.group("place"))
        end = also.end()


def _clause(span: Span, text: str) -> Span:
    """The sentence, cut before other matters where it is very long."""
    if len(text) <= 600:
        return span
    verb = _CHOOSING.search(text)
    begin = max(0, (verb.start() if verb else 0) - 200)
    return span[0] + begin, min(span[1], span[0] + begin + 600)

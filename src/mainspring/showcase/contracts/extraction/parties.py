"""Who the parties are: the strong names of the opening words, with their roles.

Looked for where contracts name them, in this order: after "by and between", in a list of labels
("Licensor: ..."), anywhere near the start with a role in brackets, and last above the signatures.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from .names import DESCRIPTION, NAME, Named, cut, has_form, is_rejected, role_after
from .reading import Candidate, Reading, Span, Tier, phrase

_SEARCHED = 40_000
_SURE = 6.0
_MOST_CUES = 60  # an agreement has some ten of them; thousands are an attack or a table
_BETWEEN = phrase(
    r"\b(?:(?:entered into|made) by(?! and)|parties:?(?= *\(?1[.)])|by and (?:between|among|amongst)"
    r"|between and among|between|among|amongst|by and)\b *:?(?: the following parties)? *:?"
)
_REGION_END = phrase(
    r"\bwhereas\b|\brecitals?\b|\bwitnesseth|\bw i ?t n e s|\bbackground\b|\bnow,? therefore|\bin consideration"
    r"|\bpreamble\b|\bthe parties (?:hereby |hereto )*(?:agree|desire|wish|have)"
    r"|\bas an amendment|[.;] pursuant to\b|\btable of contents\b|\bcapitalized terms|\bhereby agree"
    r"|\bagree as follows|\bare (?:hereinafter|referred|sometimes|collectively|individually)"
    r"|\b(?:shall|may) (?:each |sometimes |hereinafter )*be referred|\beach of the foregoing|\beach of which"
    r"|\bis (?:made|entered|dated)|\bdefinitions\b|\bwill provide|\bin witness"
    r"|\bintroduction\b|\bpurpose\b|\brelating to\b|\bwith respect to\b|\bwitness that\b|\bconfirms?\b"
    r"|\bthis agreement (?:is|shall|sets|will|describes)\b"
)
_BOUNDARY = re.compile(
    r"(?:^| {2,}|\b[Aa]nd\b|\bAND\b|[,;:]|\)|\"\)|\bby\b|\bbetween\b|\bamong\b|\bhand\b)[ ,;:.-]*(?:[Aa]nd[ :-]+"
    r"|AND[ :-]+"
    r"|:)*(?:\(?(?:[0-9]|[a-z]|i{1,3}|iv|v)\)|[0-9]\.)?[ ,]*(?:(?:on the one hand|each of|both"
    r"|either)[ ,]*)*(?:the +)?(?:(?:professional|Mr\.|Ms\.|Mrs\.|Dr\.)[a-z ]*,? +)?",
)
_LABELLED = re.compile(
    r"(?:^|\n|  |\. |: |\) )[ \t]*(?P<role>Party [A-Z1-9]|(?:The )?(?:Licensor|Licensee|Buyer(?:/End-User)?|Seller"
    r"|Supplier|Customer|Vendor|Lessor|Lessee|Landlord|Tenant|Employer"
    r"|Consultant|Distributor|Contractor|Client|Provider|Franchisor|Franchisee|Company|Owner|Agent|Principal"
    r"|Manufacturer|Reseller|Sponsor))[ \t]*:[ \t]*",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"\b(?:By|BY|Per|PER|Signed by|SIGNED by)\b *:")
_FIRST = re.compile(
    r"[ :\"]*(?:\(?(?:1|a|A|i)\)|1\.|A\.)?[ ,]*(?:(?:[Tt]he +)?[Pp]art(?:y"
    r"|ies) +to +this +[Aa]greement)?[ :]*(?:[a-z]+ +[a-z]+, +)?(?:[Tt]he +|THE +(?=TOWN|CITY|COUNTY|STATE))?",
)
_OPENING = re.compile(r"(?i)agreement|contract|amendment|made|entered|dated")
_OTHER = re.compile(r"(?i)that certain|\bdated\b[^.]{5,60}$|relationship|dispute|communicat|agreements? +$")
_AND_NAME = re.compile(rf" +and +{NAME.pattern}")
_TITLE = re.compile(
    r"\b(?:Officer|Signatory|President|Director|Manager|Member|Secretary|Treasurer|Chairman|Its|Title)\b:?"
)
_PERSON = re.compile(r"(?:[A-Z][\w'-]+|[A-Z]\.|Jr\.|Sr\.)(?: +(?:[A-Z][\w'-]+|[A-Z]\.|Jr\.|Sr\.))+")
_LISTED = re.compile(r"[ ,]*(?:and\b|\(|$)")
_ROLE_NEXT = re.compile(r"[ ,.]*(?:an? +[^(),]{3,60},? *)?\([^()]{0,60}[\"'(]")
_DIRECT = re.compile(r"(?i)\band\b|\bbetween\b|\bamong\b|\bby\b|\bhand\b|;|\)[ ,]*$")
_ASIDE = phrase(
    r"\bundersigned\b|\bpursuant to\b|\bdescribed in\b|\bthat certain\b|\bas defined in\b|\bthe terms of the\b"
)


def parties(reading: Reading) -> Candidate | None:
    """All parties together, in the order of the contract; None when fewer than one is certain."""
    fallback: Candidate | None = None
    for found, tier in _attempts(reading):
        unique = _unique(found)
        if len(unique) >= 2:
            return _candidate(reading, unique, tier)
        if fallback is None and unique and has_form(unique[0].text):
            fallback = _candidate(reading, unique, Tier.DERIVED)
    return fallback


def _attempts(reading: Reading) -> Iterator[tuple[list[Named], Tier]]:
    yield _best_region(reading), Tier.STATED
    yield _labelled(reading), Tier.STATED
    yield _with_roles(reading), Tier.CUED
    yield _best_region(reading, least=1), Tier.CUED
    yield _signatories(reading), Tier.DERIVED


def _candidate(reading: Reading, found: list[Named], tier: Tier) -> Candidate:
    values = [f'{party.text} ("{party.role}")' if party.role else party.text for party in found]
    spans: list[Span] = []
    for party in found:
        whole = party.role_end if party.role_end and party.role_end - party.start <= 420 else party.end
        spans.append((party.start, whole))
    return Candidate("; ".join(values), "; ".join(party.text for party in found), tuple(spans), tier)


def _best_region(reading: Reading, least: int = 2) -> list[Named]:
    best: list[Named] = []
    best_score = least - 0.1
    for cue in islice(_BETWEEN.finditer(reading.text, 0, _SEARCHED), _MOST_CUES):
        found = _unique(_strong_names(reading.text, cue.end(), _region_end(reading.text, cue.end())))
        if len(found) < least or found[0].start - cue.end() > 160:
            continue
        if not any(party.role or has_form(party.text) for party in found):
            continue  # capitalised words alone: "between Order Form and Cover Page"
        score = _region_score(reading, cue.start(), found)
        if score > best_score:
            best, best_score = found, score
        if score >= _SURE:
            break
    return best


def _region_score(reading: Reading, cue: int, found: list[Named]) -> float:
    sentence = reading.sentence_at(cue)[0]
    is_opening = _OPENING.search(reading.text, max(0, cue - 160), cue) is not None
    is_other = _ASIDE.search(reading.text, sentence, cue) is not None
    is_other = is_other or (cue > 3_000 and _OTHER.search(reading.text, max(0, cue - 90), cue) is not None)
    roles = sum(bool(party.role) for party in found)
    return min(len(found), 3) + roles + 2 * is_opening - 3 * is_other - cue / 8_000


def _region_end(text: str, start: int) -> int:
    limit = min(len(text), start + 3_500)
    stop = _REGION_END.search(text, start + 10, limit)
    return stop.start() if stop else min(limit, start + 1_500)


def _strong_names(text: str, start: int, end: int) -> Iterator[Named]:
    """Strong names after boundaries in [start, end); those inside brackets belong to something else."""
    position, is_first = start, True
    while position < end:
        boundary = _FIRST.match(text, position) if is_first else _BOUNDARY.search(text, position, end)
        if boundary is None:
            return
        is_inside = text.count("(", start, boundary.end()) > text.count(")", start, boundary.end())
        directly = is_first or _DIRECT.search(boundary.group()) is not None
        named = None if is_inside else _named_at(text, boundary.end(), end, directly=directly)
        if named is not None:
            yield named
        position = named.end if named else max(boundary.end(), position + 1)
        is_first = False


def _named_at(text: str, start: int, end: int, *, directly: bool) -> Named | None:
    found = NAME.match(text, start, end)
    if found is None:
        return None
    name = cut(found.group())
    if len(name) < len(found.group().rstrip(" ,;:'")) and not has_form(name):
        return None
    if directly and not has_form(name):
        name = _joined(text, start, end, name)
    if is_rejected(text[max(0, start - 60) : start], name) or not 1 < len(name) <= 90:
        return None
    stop = start + len(name)
    if not (has_form(name) or (directly and _is_strong(text, stop, end, name))):
        return None
    return _named(name, start, role_after(text, stop, min(end + 80, stop + 700)))


def _joined(text: str, start: int, end: int, name: str) -> str:
    """The name with what "and" joins to it, where only both together are followed by what they are."""
    if DESCRIPTION.match(text, start + len(name)) or _ROLE_NEXT.match(text, start + len(name)):
        return name
    other = _AND_NAME.match(text, start + len(name), end)
    if other is None or has_form(other.group()) or not DESCRIPTION.match(text, other.end()):
        return name
    return text[start : other.end()]


def _is_strong(text: str, stop: int, end: int, name: str) -> bool:
    if DESCRIPTION.match(text, stop):
        return True
    if _ROLE_NEXT.match(text, stop, min(len(text), end + 60)) and not re.search(r"\d", name):
        return True
    is_person = _PERSON.fullmatch(name) is not None and 2 <= len(name.split()) <= 4
    return is_person and _LISTED.match(text, stop) is not None


def _named(name: str, start: int, role: tuple[str, int] | None) -> Named:
    shown = " ".join(name.split())
    return Named(start, start + len(name), shown, role[0] if role else None, role[1] if role else None)


def _labelled(reading: Reading) -> list[Named]:
    found: list[Named] = []
    for label in _LABELLED.finditer(reading.text, 0, _SEARCHED):
        name = NAME.match(reading.text, label.end())
        text = cut(name.group()) if name else ""
        if (len(text.split()) > 1 or has_form(text)) and not is_rejected("", text):
            end = label.end() + len(text)
            found.append(Named(label.start("role"), end, " ".join(text.split()), label.group("role"), end))
    return found


def _with_roles(reading: Reading) -> list[Named]:
    end = min(len(reading.text), 4_000)
    return [
        named
        for named in _strong_names(reading.text, 0, end)
        if has_form(named.text) and named.role_end and named.role_end - named.end < 200
    ]


def _signatories(reading: Reading) -> list[Named]:
    found: list[Named] = []
    for signature in _SIGNATURE.finditer(reading.text, len(reading.text) // 2):
        reach = max(0, signature.start() - 140)
        titles = list(_TITLE.finditer(reading.text, reach, signature.start()))
        reach = titles[-1].end() if titles else reach
        names = [name for name in NAME.finditer(reading.text, reach, signature.start()) if has_form(cut(name.group()))]
        if names and not is_rejected(reading.text[reach : names[-1].start()], cut(names[-1].group())):
            found.append(_named(cut(names[-1].group()), names[-1].start(), None))
    return found


def _unique(found: Iterable[Named]) -> list[Named]:
    """One for each name, the first that has a role; a name that is only another's role is left out."""
    kept: dict[str, Named] = {}
    roles: set[str] = set()
    for named in found:
        letters = _letters(named.text)
        if letters in roles:
            continue
        if letters not in kept or (named.role and not kept[letters].role):
            kept[letters] = named
        roles |= {_letters(named.role)} - {letters} if named.role else set()
    return _with_nearest_roles([named for letters, named in kept.items() if letters])


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text).lower()


def _with_nearest_roles(found: list[Named]) -> list[Named]:
    """A role belongs to the last name before it: take it from those that stand earlier."""
    return [
        replace(named, role=None, role_end=None)
        if any(named.start < other.start < (named.role_end or 0) for other in found)
        else named
        for named in found
    ]

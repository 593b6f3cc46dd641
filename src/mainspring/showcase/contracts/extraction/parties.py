"""Who the parties are: the strong names of the opening words, with their roles.

Looked for where contracts name them, in this order: after "by and between", in a list of labels
("Licensor: ..."), anywhere near the start with a role in brackets, and last above the signatures.
"""

import re
from collections.abc import Iterator

from .names import DESCRIPTION, NAME, Named, has_form, is_rejected, role_after
from .reading import Candidate, Reading, Span, Tier, phrase

_SEARCHED = 40_000
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
    r"(?:^| {2,}|\band\b|\bAND\b|[,;:]|\)|\"\)|\bby\b|\bbetween\b|\bamong\b|\bhand\b)[ ,;:.]*(?:and +|AND:? +"
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
_STOP_WORDS = re.compile(
    r" +(?:By|BY|Name|NAME|Title|TITLE|Source|THIS|AGREEMENT|WHEREAS|BETWEEN|RECITALS|WITNESSETH|PARTY|This|Whereas"
    r"|Agreement|Recitals|Dated|DATED)\b.*$"
)
_PERSON = re.compile(r"(?:[A-Z][\w'-]+|[A-Z]\.|Jr\.|Sr\.)(?: +(?:[A-Z][\w'-]+|[A-Z]\.|Jr\.|Sr\.))+")
_LISTED = re.compile(r"[ ,]*(?:and\b|\(|$)")
_ROLE_NEXT = re.compile(r"[ ,.]*(?:an? +[^(),]{3,60},? *)?\([^()]{0,60}[\"'(]")
_DIRECT = re.compile(r"(?i)\band\b|\bbetween\b|\bamong\b|\bby\b|\bhand\b|;|\)[ ,]*$")
_ASIDE = phrase(
    r"\bundersigned\b|\bpursuant to\b|\bdescribed in\b|\bthat certain\b|\bas defined in\b|\bthe terms of the\b"
)
_JOINED = re.compile(r" +AND +")


def parties(reading: Reading) -> Candidate | None:
    """All parties together, in the order of the contract; None when fewer than one is certain."""
    fallback: Candidate | None = None
    for found, tier in _attempts(reading):
        unique = _unique(found)
        if len(unique) >= 2:
            return _candidate(reading, unique, tier)
        if fallback is None and unique and unique[0].has_form:
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
    for cue in _BETWEEN.finditer(reading.text, 0, _SEARCHED):
        end = _region_end(reading.text, cue.end())
        found = _unique(_strong_names(reading.text, cue.end(), end))
        if len(found) < least or found[0].start - cue.end() > 160:
            continue
        is_opening = bool(
            re.search(
                r"(?i)agreement|contract|amendment|made|entered|dated",
                reading.text[max(0, cue.start() - 160) : cue.start()],
            )
        )
        is_other = (
            bool(
                re.search(
                    r"(?i)that certain|\bdated\b[^.]{5,60}$|relationship|dispute|communicat|agreements? +$",
                    reading.text[max(0, cue.start() - 90) : cue.start()],
                )
            )
            and cue.start() > 3_000
        )
        begins = reading.sentence_at(cue.start())[0]
        is_other = is_other or bool(_ASIDE.search(reading.text, begins, cue.start()))
        score = (
            min(len(found), 3)
            + sum(bool(party.role) for party in found)
            + 2 * is_opening
            - 3 * is_other
            - cue.start() / 8_000
        )
        if score > best_score:
            best, best_score = found, score
        if score >= 6:
            break
    return best


def _region_end(text: str, start: int) -> int:
    limit = min(len(text), start + 3_500)
    stop = _REGION_END.search(text, start + 10, limit)
    return stop.start() if stop else min(limit, start + 1_500)


def _strong_names(text: str, start: int, end: int) -> Iterator[Named]:
    position, is_first = start, True
    while position < end:
        boundary = _FIRST.match(text, position) if is_first else _BOUNDARY.search(text, position, end)
        if boundary is None:
            return
        inside = text.count("(", start, boundary.end()) > text.count(")", start, boundary.end())
        directly = is_first or _DIRECT.search(boundary.group()) is not None
        named = None if inside else _named_at(text, boundary.end(), end, directly=directly)
        if named is not None:
            yield named
        position = named.end if named else max(boundary.end(), position + 1)
        is_first = False


def _named_at(text: str, start: int, end: int, *, directly: bool) -> Named | None:
    found = NAME.match(text, start, end)
    if found is None:
        return None
    name = _cut(found.group())
    if len(name) < len(found.group().rstrip(" ,;:'")) and not has_form(name):
        return None
    if is_rejected(text[max(0, start - 60) : start], name) or not 1 < len(name) <= 90:
        return None
    stop = start + len(name)
    formed, described = has_form(name), DESCRIPTION.match(text, stop) is not None
    role = role_after(text, stop, min(end + 80, stop + 700))
    named = directly and not re.search(r"\d", name) and _has_role_next(text, stop, end)
    person = (
        directly
        and _PERSON.fullmatch(name) is not None
        and 2 <= len(name.split()) <= 4
        and _LISTED.match(text, stop) is not None
    )
    if not (formed or named or (directly and described) or person):
        return None
    return Named(
        start, stop, " ".join(name.split()), role[0] if role else None, role[1] if role else None, formed, described
    )


def _cut(name: str) -> str:
    """The name without what an all-capitals line drags in behind it."""
    name = _STOP_WORDS.sub("", name)
    for joined in _JOINED.finditer(name):
        if has_form(name[: joined.start()]):
            name = name[: joined.start()]
            break
    return name.rstrip(" ,;:'")


def _has_role_next(text: str, stop: int, end: int) -> bool:
    return _ROLE_NEXT.match(text, stop, min(len(text), end + 60)) is not None


def _labelled(reading: Reading) -> list[Named]:
    found: list[Named] = []
    for label in _LABELLED.finditer(reading.text, 0, _SEARCHED):
        name = NAME.match(reading.text, label.end())
        text = _cut(name.group()) if name else ""
        if (len(text.split()) > 1 or has_form(text)) and not is_rejected("", text):
            found.append(
                Named(
                    label.end(),
                    label.end() + len(text),
                    " ".join(text.split()),
                    label.group("role"),
                    None,
                    has_form(text),
                    False,
                )
            )
    return found


def _with_roles(reading: Reading) -> list[Named]:
    end = min(len(reading.text), 4_000)
    return [
        named
        for named in _strong_names(reading.text, 0, end)
        if named.has_form and named.role and (named.role_end or 0) - named.end < 200
    ]


def _signatories(reading: Reading) -> list[Named]:
    found: list[Named] = []
    for signature in _SIGNATURE.finditer(reading.text, len(reading.text) // 2):
        reach = max(0, signature.start() - 140)
        names = [name for name in NAME.finditer(reading.text, reach, signature.start()) if has_form(_cut(name.group()))]
        if names and not is_rejected(reading.text[reach : names[-1].start()], _cut(names[-1].group())):
            name, start = _cut(names[-1].group()), names[-1].start()
            found.append(Named(start, start + len(name), " ".join(name.split()), None, None, True, False))
    return found


def _unique(found: Iterator[Named] | list[Named]) -> list[Named]:
    kept: dict[str, Named] = {}
    for named in found:
        key = re.sub(r"\W+", "", named.text).lower()
        if key and key not in kept:
            kept[key] = named
    return _with_nearest_roles(list(kept.values()))


def _with_nearest_roles(found: list[Named]) -> list[Named]:
    """A role belongs to the last name before it: take it from those that stand earlier."""
    kept: list[Named] = []
    for place, named in enumerate(found):
        following = found[place + 1].start if place + 1 < len(found) else None
        if named.role_end and following is not None and named.role_end > following:
            named = Named(named.start, named.end, named.text, None, None, named.has_form, named.is_described)
        kept.append(named)
    return kept

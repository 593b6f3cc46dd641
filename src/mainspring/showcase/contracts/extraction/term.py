"""How long the contract runs, and when that ends.

A term is a period (or an open end) that the text gives to the contract itself; notice periods,
warranties and what survives the end are kept out by the words around the period. An end date is
taken as written; otherwise it is the start date plus the term, and only where the term runs from
the contract's own date or effective date. That derived date carries the lowest tier.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from .dates import DateMention, add_months, write_date
from .durations import Duration, find_durations
from .numbers import ORDINAL, WORDS, ordinal_to_number, words_to_number
from .reading import Candidate, Reading, Span, Tier, phrase

CATEGORY = "Expiration Date"
_CUES = (
    "term",
    "continue",
    "remain",
    "in force",
    "in effect",
    "duration",
    "valid",
    "expire",
    "commenc",
    "until",
    "effective for",
    " ends ",
    " begins ",
    "anniversary",
    "extend",
)

_SUBJECT = phrase(
    r"\b(?:term|period|duration)\b(?: \([^()]{0,60}\))? (?:of|for|under) (?:this|the"
    r"|these) (?:[\w&-]+ ){0,4}(?:agreement|contract|appointment|engagement"
    r"|license|lease|venture|services)\b(?: \([^()]{0,60}\))?[^.;]{0,60}\b(?:shall|will|is|begins?|commences?"
    r"|continues?|starts?|extends?|runs?|remains?)\b"
    r"|\b(?:this|the|present) (?:[\w&-]+ ){0,4}(?:agreement|contract|appointment|engagement|venture"
    r"|supply agreement)(?: and [^.;]{0,60})?(?: \([^()]{0,60}\))?,? (?:is|shall|will|begins|starts|comes into"
    r"|commences|continues|expires|remains|takes|has|becomes|terminates|ends|runs)\b|\b(?:initial|primary"
    r"|base) (?:term|period)\b"
    r"|\b(?:the|said|this|its) \"?(?:term|duration)\"?(?: \([^()]{0,60}\))? (?:is|shall|will|begins|commences|means"
    r"|starts)\b|\"(?:initial )?term\""
    r"|(?:^|[.;] )[\d.()a-z ]{0,8}(?:the )?(?:initial |contract )?term(?: of (?:this )?agreement)? ?[:.-]"
    r"|\bcooperation term"
    r"|\b(?:joint venture|retainer|venture|partnership) (?:shall|will) (?:commence|begin|continue)"
)
_BEFORE_PERIOD = phrase(
    r"(?:\b(?:for|ends|expires|terminates|of|be|is|period|term|continue|continuing|through|lasts?|least|to|means"
    r"|until|approximately|valid|end|and|in effect|term\")[ :,]*(?:a|an|the|of|period|total|initial|term|fixed"
    r"|minimum|another|duration|date|is|be|be for"
    r"|for|contract|full|sooner of|earlier of|later of|until|up to|:|,|\(i\)|\(a\)|\"|successive|one|approximately"
    r"|\(\"?initial term\"?\))*[ ]*|[:\"-] *)$"
)
_NOT_PERIOD_BEFORE = phrase(
    r"\b(?:renew\w*|extend\w*|extension|additional|successive|further|notice|within|every|each|surviv\w*|at least"
    r"|less than|warrant\w*|after (?:the )?(?:termination|expiration|end)|following (?:the )?(?:termination"
    r"|expiration|end)|prior to|last|preceding)\b[^.;:]{0,50}$"
)
_NOT_PERIOD_AFTER = phrase(
    r"[' ,]*(?:prior|notice|written|before|advance|in advance|after (?:the )?(?:termination|expiration|receipt"
    r"|written|such|notice|delivery)|following (?:the )?(?:termination|expiration|receipt)|of receipt|anniversary)"
)
_OTHER_TERM = phrase(
    r"\bwarrant|\bconfidential|\bnon-?compet|\bcompete\b|\bsolicit|\bsurviv|\bpayment|\bpayable|\binvoice|\bpatent"
    r"|\bprotection|\bcure\b|\bcured\b"
    r"|\binsurance|\bretain|\brecords|\bshelf|\broyalt|\bloan|\bnote\b|\bpurchase order|\bstatement of work|\bsublicens"
    r"|\b(?:calendar|contract|financial|fiscal|license) (?:year|quarter)\"? (?:shall )?means?\b|\"(?:year|quarter"
    r"|month)\" (?:shall )?means?\b|\boption(?:ee|s)?\b|\bshares\b|\bvest"
    r"|\bsupport period\b|\bduring the term\b|\bthroughout the term\b|\bremainder of\b|\bforce majeure|\bbreach\b"
    r"|\bliab|\bdiligence"
)
_CONDITIONAL = phrase(r"[ \d.()a-z]{0,8}(?:in the event|if|where|should|upon|provided)\b")
_OPEN_END = phrase(
    r"\bperpetual(?:ly)?\b|\bin perpetuity\b|\bindefinite(?:ly)?\b|\bevergreen\b|\bno (?:fixed|definite) (?:term"
    r"|duration)|\bunlimited (?:term|duration|period)"
    r"|\buntil (?:(?:it|this agreement|the agreement) is |such time as (?:it|this agreement) is |sooner "
    r"|otherwise )?(?:terminated|canceled|cancelled|termination)\b"
    r"|\bunless and until (?:it is )?terminated|\bshall continue unless terminated"
    r"|\bending on the expiration and/or termination|\bend when terminated"
)
_END_DATE = phrase(
    r"\b(?:until|through(?:out)?|thru|to|expir\w*|end(?:s|ing)?|terminat\w*|conclud\w*|up to|extend\w*|(?:termination"
    r"|expiration|expiry|end) date ?:)(?:,? (?:and|on|at|as of"
    r"|effective|including|automatically|the|midnight|close of business|of|11:59 p\.?m\.?[^,.;]{0,24}"
    r"|its terms))*[ ,:]*(?:later of|earlier of|earliest of)?[ ,:]*(?:\(?(?:a|i)\) *)?(?:the )?$"
)
_FROM = phrase(
    r"[^.;]{0,60}?\b(?:from|after|following|of|commencing|beginning|starting|as of)(?: and after| on| with| from"
    r"| as of)* (?P<start>[^.;]{3,80})"
)
_OWN_DATE = phrase(
    r"(?:the )?(?:\"?effective date|date (?:of|hereof|on which this agreement|first|above|set forth|this agreement)"
    r"|commencement date|signing|execution|its (?:effective )?date|date here|day and year|the date of (?:this"
    r"|the) agreement)"
)
_ANNIVERSARY = phrase(
    rf"\b(?:(?P<ordinal>{ORDINAL})|(?P<figure>\d{{1,2}}) ?(?:st|nd|rd|th)"
    rf"|(?P<words>{WORDS})(?: \(\d{{1,2}}\))?[ -]years?'?)"
    rf"(?: \(\d{{1,2}} ?(?:st|nd|rd|th)?\))? (?:\w+ )?anniversary of (?:the )?(?P<start>[^.;,]{{3,60}})"
)


@dataclass(frozen=True, slots=True)
class Term:
    """A term as read: a period, an anniversary or an open end, with the sentence that gives it."""

    span: Span
    duration: Duration | None
    is_open: bool
    starts: str
    score: float
    is_alternative: bool = False

    @property
    def months(self) -> int | None:
        return self.duration.months if self.duration else None


def find_term(reading: Reading) -> Term | None:
    """The best supported term of the contract, None when none is certain enough."""
    best = max(_terms(reading), key=lambda term: term.score, default=None)
    return best if best and best.score >= 1.7 else None


def term_fact(term: Term | None) -> Candidate | None:
    """The term as a value: a period, or that it has no fixed end."""
    if term is None:
        return None
    tier = Tier.STATED if term.score >= 2.5 else Tier.CUED
    if term.duration is None:
        return Candidate("No fixed end", None, (term.span,), tier, term.score)
    value = term.duration.words + (" (words and figures differ in the text)" if term.duration.conflicting else "")
    return Candidate(value, term.duration.iso, (term.span,), tier, term.score)


def expiration_date(
    reading: Reading,
    dates: tuple[DateMention, ...],
    *,
    term: Term | None,
    dated: Candidate | None,
    effective: Candidate | None,
) -> Candidate | None:
    """The end of the first term: written, at an anniversary, start plus term, or never."""
    written = max(_written_ends(reading, dates), key=lambda candidate: candidate.score, default=None)
    if written is not None and (term is None or not term.is_open or written.score >= 3):
        return written
    if term is None:
        return written
    if term.is_open:
        return Candidate("No fixed end", "perpetual", (term.span,), Tier.CUED, 1.0)
    refers_to_date = re.match(r"(?i)(?:the )?(?:date|execution|signing)", term.starts) is not None
    return _derived(term, (dated or effective) if refers_to_date else (effective or dated), dates)


def _terms(reading: Reading) -> Iterator[Term]:
    for span, text in reading.sentences_with(*_CUES):
        subject = _SUBJECT.search(text)
        evidence = reading.evidence(CATEGORY, span[0])
        if subject is None and evidence < 0.3:
            continue
        base = (
            1.5 * (subject is not None)
            + evidence
            + 0.5 * ("term of this" in text.lower() or "initial term" in text.lower())
        )
        base -= span[0] / (10 * len(reading.text))
        base -= 0.8 * bool(_CONDITIONAL.match(text))
        yield from _periods(span, text, base)
        if opening := _OPEN_END.search(text):
            is_forever = not opening.group().lower().startswith(("until", "unless", "shall continue unless"))
            is_licence = bool(
                re.search(r"(?i)licen[cs]e|right", text[max(0, opening.start() - 60) : opening.end() + 30])
            )
            is_other = bool(_OTHER_TERM.search(text, 0, opening.end()))
            yield Term(
                span, None, True, "", base - 1.6 * is_other + 0.3 - 0.3 * (not is_forever) - is_forever * is_licence
            )


def _periods(span: Span, text: str, base: float) -> Iterator[Term]:
    for match in _ANNIVERSARY.finditer(text):
        before = text[: match.start()]
        if _NOT_PERIOD_BEFORE.search(before):
            continue
        years = _anniversary_years(match)
        is_other = bool(_OTHER_TERM.search(text, 0, match.end()))
        is_alternative = bool(re.search(r"(?i)\b(?:sooner|earlier|earliest|later|latest) +of\b", before[-200:]))
        duration = Duration(match.start(), match.end(), years, "year")
        yield Term(span, duration, False, match.group("start"), base + 0.6 - 1.6 * is_other, is_alternative)
    for duration in find_durations(text):
        before, after = text[: duration.start], text[duration.end :]
        if _NOT_PERIOD_BEFORE.search(before[-90:]) or _NOT_PERIOD_AFTER.match(after):
            continue
        fits = bool(_BEFORE_PERIOD.search(before[-80:])) or not before.strip()
        follows = _FROM.match(after)
        starts = follows.group("start") if follows else ""
        is_alternative = bool(
            re.search(r"(?i)\b(?:sooner|earlier|earliest|later|latest|longer|shorter) +of\b", before[-200:])
        )
        is_other = bool(_OTHER_TERM.search(text, 0, duration.end + 40))
        score = base + 0.8 * fits - 1.6 * is_other - duration.start / 2_000
        yield Term(span, duration, False, starts, score, is_alternative)


def _anniversary_years(match: re.Match[str]) -> int:
    if match.group("figure"):
        return int(match.group("figure"))
    if match.group("words"):
        return words_to_number(match.group("words"))
    return ordinal_to_number(match.group("ordinal"))


def _written_ends(reading: Reading, dates: tuple[DateMention, ...]) -> Iterator[Candidate]:
    for mention in dates:
        sentence = reading.sentence_at(mention.start)
        before = reading.text[max(sentence[0], mention.start - 260) : mention.start]
        cue = _END_DATE.search(before)
        if cue is None or mention.value is None:
            continue
        text = reading.text[sentence[0] : sentence[1]]
        subject = _SUBJECT.search(text) is not None or "term" in before.lower()
        evidence = reading.evidence(CATEGORY, mention.start)
        score = 1.5 * subject + evidence + 0.5 * ("initial" in before.lower()) + 1.0
        score += 0.4 * bool(re.search(r"(?i)commenc|effective|begin|in force|\\bterm\\b", before))
        score -= 1.5 * bool(_OTHER_TERM.search(text)) + 0.8 * bool(re.search(r"(?i)renew|extend|surviv", before))
        if score < 2.0:
            continue
        span = (
            sentence if sentence[1] - sentence[0] <= 500 else (mention.start - len(before) + cue.start(), mention.end)
        )
        yield Candidate(write_date(mention.value), mention.value.isoformat(), (span,), Tier.STATED, score)


def _derived(term: Term, start: Candidate | None, dates: tuple[DateMention, ...]) -> Candidate | None:
    months = term.months
    own = [mention for mention in dates if term.span[0] <= mention.start < term.span[1] and mention.value]
    if months is None or term.is_alternative:
        return None
    if own and own[0].value:
        begins, spans = own[0].value, (term.span,)
    elif start is not None and start.normalized and (not term.starts or _OWN_DATE.match(term.starts)):
        begins, spans = date.fromisoformat(start.normalized), (term.span, start.spans[0])
    else:
        return None
    ends = add_months(begins, months)
    return Candidate(write_date(ends), ends.isoformat(), spans, Tier.DERIVED, 1.0)

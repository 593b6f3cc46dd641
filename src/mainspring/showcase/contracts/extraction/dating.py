"""When the contract is dated, and from when it has effect.

Dates are weighed by the words just before them and by where they stand: the opening words ("dated as
of", "made this"), a cover page, the closing ("executed as of"), and last the newest date beside the
signatures. Dates of other documents ("that certain agreement dated ...") do not count.
"""

from collections.abc import Iterator

from .dates import DateMention, write_date
from .reading import Candidate, Reading, Span, Tier, phrase

_OPENING = 6_000
_SUBJECT = phrase(
    r"\b(?:agreement|contract|amendment|addendum|lease|license|memorandum|deed|indenture|letter|plan|order)\b"
)
_DATED = phrase(
    r"(?:\bdated(?: for reference)?|\bmade|\bentered(?: into)?|\bexecuted|\bconcluded|\bsigned|\beffective"
    r"|\bmade and entered(?: into)?|\bis)"
    r"(?:,? (?:and )?(?:is |made |entered |into |effective |dated |executed |in duplicate |and |to be ))*,?"
    r" ?(?:as of|as from|as|on|this|by the parties on|at)?[ :,]*(?:the|this|of|on|as of)?(?: date)?[ :,]*$"
)
_ON_COVER = phrase(
    r"(?:^|[ _:(])(?:dated|date|agreement date|date of agreement|contract date)(?: as of)?[ :,.]*(?:the|this)? ?$"
)
_OPENS = phrase(r"\bthis\b[^.;]*$|\"[^\"]{2,40}\" ?\)[ ,]*$|\b(?:agreement|contract|amendment)[ ,-]*$")
_AS_OF = phrase(r"\bas of(?: the| this)?,? ?$")
_CLOSING = phrase(r"\bin witness whereof|\bagreed (?:to )?and accepted|\bexecuted|\bday and year|\bdated|\bsigned")
_OTHER = phrase(
    r"\bsupersed\w*[^.;]{0,160}$|\b(?:that certain|certain|pursuant to|under the|amend\w*|to the|prior|original"
    r"|existing|master|between [^.]{0,80} dated|merger"
    r"|purchase|letter|memorandum|filed|registration|founded|incorporated|restat\w+|supplement\w+)\b[^.;]{0,80}$"
)
_SIGNED = phrase(
    r"\b(?:date|dated|date signed|signed|on)[ :_./]*$|/s/[^:]{0,80}$|\b(?:title|name"
    r"|by) ?:[^:]{0,60}(?:date ?:)?[ _]*$"
)
_EFFECTIVE_TAIL = phrase(
    r"[ ,]*(?:the )?\(?[ ,]*(?:hereinafter|hereafter|herein|referred to as|called|the|this|its|as|\(|-"
    r"|each)*[ ,]*[\"'(] ?(?:contract |agreement )?effective ?date"
)
_EFFECTIVE_MEANS = phrase(
    r"(?:\"? ?effective date\"?)[ :\"]*(?:\)|of this agreement|hereof|of the agreement|for this agreement)?[ \"]*"
    r"(?:shall|will)? ?(?:means?|is|be|:|shall be|refers to|=)?[^.;]{0,40}$"
)
_EFFECTIVE = phrase(
    r"\b(?:effective|in effect|into effect|into force|in force|takes? effect)(?: date)?(?: beginning| starting"
    r"| commencing)?[ :,]*"
    r"(?:as of|as from|as at|from and after|on and after|from|on|at|upon|with effect from|beginning)?[^.;,]{0,30}$"
)
_COMMENCE = phrase(
    r"\b(?:commenc\w*|beg[iu]n\w*|start\w*)(?: effective)?(?: as)?(?: on| from| of| as of)?[ ,]*(?:the date of|the"
    r"|this|on|and including|12:01 a\.?m\.?)*"
    r"[^.;,\d]{0,20}$|\bterm ?:[^.;,\d]{0,12}$|\bterm\b[^.;]{0,60}\bfrom(?: the)? ?$"
)
_BEFORE_PARTIES = phrase(r"[ ,(\"]*(?:by and between|between|the effective date|effective date)")
_OF_THIS = phrase(r"\bthis\b[^.;:]*$|\([^()]{0,20}\"[^\"]{0,20}(?:agreement|contract)\" ?\)[ ,]*$")
_UNTIL = phrase(r"\b(?:through|until|dated|expir\w+|agreement|contract)\b")
_OF_CONTRACT = phrase(
    r"\b(?:this|the|present|joint) (?:[\w-]+ ){0,3}(?:agreement|contract|amendment|term|venture|appointment|lease"
    r"|license)\b|\"[^\"]{0,20}term\""
)
_BY_REFERENCE = phrase(
    r"\beffective date\"?[^.;]{0,60}(?:date (?:of this|hereof|first (?:above )?(?:written|set forth)"
    r"|of execution of this)|date first)"
    r"|(?:effective|commenc\w*|in(?:to)? force)[^.;]{0,20} (?:as of|on|from|upon) the (?:date (?:hereof"
    r"|of this agreement)|(?:first )?date (?:and year )?(?:first )?(?:above )?(?:written|set forth))"
)
_BY_SIGNATURE = phrase(
    r"\bdate (?:of|on which)[^.;]{0,30}(?:last|latest)? ?(?:party )?(?:signature|signs|signed|to sign)"
    r"|date (?:this agreement is )?signed by the last|last date of signature|last signature"
)


def agreement_date(reading: Reading, dates: tuple[DateMention, ...]) -> Candidate | None:
    """The date of the contract as its opening, its cover, its closing or its signatures give it."""
    found = [*_opening_dates(reading, dates), *_closing_dates(reading, dates), *_signature_dates(reading, dates)]
    best = max(found, key=lambda candidate: candidate.score, default=None)
    return best if best and best.score >= 1.5 else None


def effective_date(reading: Reading, dates: tuple[DateMention, ...], agreement: Candidate | None) -> Candidate | None:
    """The date from which the contract has effect, where it says one or refers to its own date."""
    found = [*_effective_dates(reading, dates), *_referred(reading, dates, agreement)]
    return max(found, key=lambda candidate: candidate.score, default=None)


def _dated(reading: Reading, mention: DateMention, begin: int, tier: Tier, score: float) -> Candidate:
    value, normalized = reading.text[mention.start : mention.end], None
    if mention.value is not None:
        value, normalized = write_date(mention.value), mention.value.isoformat()
    return Candidate(value, normalized, ((begin, mention.end),), tier, score - mention.start / (len(reading.text) + 1))


def _before(reading: Reading, mention: DateMention, width: int = 160) -> str:
    return reading.text[max(0, mention.start - width) : mention.start]


def _opening_dates(reading: Reading, dates: tuple[DateMention, ...]) -> Iterator[Candidate]:
    for mention in dates:
        if mention.start > max(_OPENING, len(reading.text) // 8):
            return
        before = _before(reading, mention)
        if "/s/" in before or "By:" in before:
            continue
        cue = _DATED.search(before)
        if cue and "effective date" in cue.group().lower():
            continue
        if cue:
            begin = mention.start - len(before) + cue.start()
            yield _dated(reading, mention, begin, Tier.STATED, _opening_score(reading, mention, before[: cue.start()]))
        elif _ON_COVER.search(before) or _AS_OF.search(before):
            is_other = bool(_OTHER.search(before))
            yield _dated(reading, mention, mention.start, Tier.CUED, 3.0 - 2.5 * is_other)
        elif _BEFORE_PARTIES.match(reading.text, mention.end):
            yield _dated(reading, mention, mention.start, Tier.CUED, 2.5)


def _opening_score(reading: Reading, mention: DateMention, before: str) -> float:
    after = reading.text[mention.end : mention.end + 160].lower()
    is_other = bool(_OTHER.search(before)) and not _OF_THIS.search(before)
    opens = not is_other and (bool(_OPENS.search(before)) or not before.strip())
    score = 4.0 + opens + ("between" in after or "among" in after) - 3.5 * is_other
    return score + 0.5 * (bool(_SUBJECT.search(before)) and not is_other)


def _closing_dates(reading: Reading, dates: tuple[DateMention, ...]) -> Iterator[Candidate]:
    for mention in dates:
        if mention.start < len(reading.text) // 3:
            continue
        before = _before(reading, mention, 220)
        if _DATED.search(before) and _CLOSING.search(before) and not _OTHER.search(before[-90:]):
            yield _dated(reading, mention, mention.start, Tier.CUED, 3.2)


def _signature_dates(reading: Reading, dates: tuple[DateMention, ...]) -> Iterator[Candidate]:
    signed = [
        mention
        for mention in dates
        if mention.value is not None
        and mention.start > len(reading.text) // 3
        and _SIGNED.search(_before(reading, mention, 100))
        and "/s/" in reading.text[max(0, mention.start - 600) : mention.end + 400]
    ]
    if signed:
        last = max(signed, key=lambda mention: (mention.value or mention.start, -mention.start))
        yield _dated(reading, last, last.start, Tier.DERIVED, 2.7)


def _effective_dates(reading: Reading, dates: tuple[DateMention, ...]) -> Iterator[Candidate]:
    for mention in dates:
        sentence = reading.sentence_at(mention.start)
        before = reading.text[max(sentence[0], mention.start - 200) : mention.start]
        tail = reading.text[mention.end : mention.end + 60]
        opening = mention.start < _OPENING
        evidence = reading.evidence("Effective Date", mention.start)
        if _EFFECTIVE_TAIL.match(tail):
            yield _dated(reading, mention, mention.start, Tier.STATED, 6.0 + opening)
        elif _EFFECTIVE_MEANS.search(before):
            yield _dated(reading, mention, mention.start, Tier.STATED, 6.0)
        elif _OTHER.search(before) and not opening:
            continue
        elif (
            (cue := _EFFECTIVE.search(before))
            and not _UNTIL.search(cue.group())
            and (opening or _OF_CONTRACT.search(before))
        ):
            begin = mention.start - len(before) + cue.start()
            yield _dated(reading, mention, begin, Tier.STATED if opening else Tier.CUED, 4.0 + opening + evidence)
        elif (cue := _COMMENCE.search(before)) and (_OF_CONTRACT.search(before) or "term" in before.lower()):
            yield _dated(
                reading,
                mention,
                sentence[0] if mention.end - sentence[0] < 400 else mention.start,
                Tier.CUED,
                3.0 + evidence,
            )


def _referred(reading: Reading, dates: tuple[DateMention, ...], agreement: Candidate | None) -> Iterator[Candidate]:
    if agreement is not None and (reference := _BY_REFERENCE.search(reading.text)):
        spans: tuple[Span, ...] = (reference.span(), agreement.spans[0])
        yield Candidate(agreement.value, agreement.normalized, spans, Tier.DERIVED, 2.0)
    for reference in _BY_SIGNATURE.finditer(reading.text):
        window = reading.text[max(0, reference.start() - 200) : reference.end() + 120].lower()
        if "effective" not in window:
            continue
        for candidate in _signature_dates(reading, dates):
            yield Candidate(
                candidate.value, candidate.normalized, (reference.span(), *candidate.spans), Tier.DERIVED, 1.5
            )
        return

"""The cap on liability: an amount, a number of months of fees, or that there is none.

Excluding indirect damages is no cap, nor is the sum that an insurance must cover. Where the text
takes the greater (or lesser) of two limits, both are kept, in the order of the text.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from .durations import find_durations
from .money import find_amounts
from .numbers import WORDS, words_to_number
from .reading import Candidate, Reading, Span, Tier, phrase

CATEGORY = "Cap On Liability"
_LIABLE = phrase(
    r"\bliab(?:ility|ilities|le)\b(?! (?:company|partnership|insurance))|\bliab?ity\b|\b(?:damages|claims?"
    r"|losses)\b[^.;]{0,80}\b(?:exceed|limited)|\bindemni\w+ obligations?\b|\brecover\b"
)
_LIMIT = phrase(
    r"\bexceeds?\b|\bliab[^.;]{0,200}\bin excess of\b|\b(?:be|is|are|hereby) (?:strictly "
    r"|expressly )?limited (?:in aggregate |in the aggregate )?to\b|\blimited,? [^.;]{0,60}\bto\b"
    r"|\bcapped at\b|\b(?:not|no) (?:be )?(?:more|greater|larger) than\b|\bup to (?:a maximum|an aggregate|a total)"
    r"|\bmaximum (?:aggregate |total |cumulative )?(?:liability|amount)[^.;]{0,80}\b(?:is|be|of)\b"
    r"|\b(?:cap|limit) of\b|\bliable (?:only )?(?:for )?up to\b|\bshall not (?:be )?(?:exceed|surpass)"
)
_OVERALL = phrase(r"\b(?:total|aggregate|cumulative|maximum|entire|overall|combined)\b")
_MUTUAL = phrase(r"\b(?:either|neither|each|any) party|\bparties\b")
_FEES = phrase(
    r"\b(?:fees?|amounts?|sums?|prices?|charges?|payments?|compensation|consideration|revenues?|royalt\w+"
    r"|commissions?|monies|paid|payable|remuneration|value|purchase price|premiums?)\b"
)
_PAID = phrase(
    r"\b(?:paid|payable|received|due|owed|earned|invoiced|billed|contract(?:ual)? value|purchase price|fees|charges"
    r"|compensation|price)\b"
)
_WINDOW = phrase(r"\b(?:preceding|prior|previous|before|immediately|last|past|preceded|period|during|over|in|for)\b")
_MULTIPLE = phrase(
    rf"(?:(?P<percent>\d{{1,3}}(?:\.\d)?) ?%|(?P<times>\d{{1,2}}) ?(?:x|times)\b"
    rf"|(?P<words>{WORDS})(?: \(\d+ ?[x%]?\))? (?P<unit>times|percent|per cent)|(?P<twice>twice|double)\b)"
)
_CHOICE = phrase(r"\b(?P<which>greater|greatest|higher|highest|larger|lesser|lower|lowest|least|smaller) of\b")
_NO_CAP = phrase(
    r"\bliability\b[^.;]{0,80}\b(?:shall be|is|will be|be) (?:unlimited|uncapped|without limit(?:ation)?)\b"
    r"|\bunlimited liability\b(?! company)|\bno (?:cap|limit) (?:on|to) (?:[\w']+ ){0,3}liability"
)
_NOT_A_CAP = phrase(
    r"\binsur(?:ance|er|ed|ing)\b|\bpolicy\b|\bper occurrence|\bcombined single|\bguarant|\bauthority\b"
    r"|\bcredit limit|\bpurchase(?:s)? (?:in excess|exceeding)|\binterest\b[^.]{0,40}\brate|\bexpenditures?\b"
    r"|\barbitrat|\bclaimant|\bexpenses\" (?:shall )?(?:not )?include|\bdeductible|\bbasket\b"
)
_NOT_A_LIMIT = phrase(
    r"\bnot limited to|\bwithout limit|\blimited to (?:the |a )?(?:direct|actual|replac|repair|refund|re-?perform"
    r"|correct|credit)"
)
_CARVE = phrase(
    r"\b(?:fraud|death|personal injury|gross negligence|wil+ful|confidential|indemnif|infring|except|breach of)\b"
)


def liability_cap(reading: Reading) -> Candidate | None:
    """The general cap: the strongest worded one, the first where several are equal."""
    caps = list(_caps(reading)) or list(_unlimited(reading))
    return max(caps, key=lambda candidate: candidate.score, default=None)


def _caps(reading: Reading) -> Iterator[Candidate]:
    for span, text in reading.sentences_with("liab", "damages", "recover", "indemni"):
        if not _LIABLE.search(text) or _NOT_A_CAP.search(text):
            continue
        evidence = reading.evidence(CATEGORY, span[0])
        for limit in _LIMIT.finditer(text):
            if not _LIABLE.search(text, max(0, limit.start() - 400), limit.end()) or _NOT_A_LIMIT.search(
                text[max(0, limit.start() - 30) : limit.end() + 40]
            ):
                continue
            measure = _measure(text[limit.start() : limit.start() + 700])
            if measure is None:
                continue
            value, normalized = measure
            score = 1.0 + evidence + bool(_OVERALL.search(text)) + 0.3 * bool(_MUTUAL.search(text))
            score += 0.5 * bool(re.search(r"(?i)liability", text)) - span[0] / (5 * len(reading.text))
            tier = Tier.STATED if normalized != "total fees" else Tier.CUED
            yield Candidate(value, normalized, (_clause(span, text, limit),), tier, score)
            break


def _measure(tail: str) -> tuple[str, str] | None:
    parts = sorted([*_amounts(tail), *_fees(tail)])
    if not parts:
        return None
    choice = _CHOICE.search(tail)
    if choice and len(parts) > 1:
        which = (
            "greater"
            if choice.group("which").lower() in {"greater", "greatest", "higher", "highest", "larger"}
            else "lesser"
        )
        shown = [part[1] for part in parts[:3]]
        return f"The {which} of {' and '.join(shown)}", f"{which} of {' and '.join(part[2] for part in parts[:3])}"
    return parts[0][1], parts[0][2]


def _amounts(tail: str) -> Iterator[tuple[int, str, str]]:
    for amount in find_amounts(tail):
        if amount.value >= 100:
            yield amount.start, amount.words, amount.normalized


def _fees(tail: str) -> Iterator[tuple[int, str, str]]:
    fees = _FEES.search(tail)
    if fees is None or not _PAID.search(tail):
        return
    factor = _factor(tail[: fees.end() + 120])
    for duration in find_durations(tail):
        months = duration.months
        if months is None or not _WINDOW.search(tail[max(0, duration.start - 60) : duration.end + 60]):
            continue
        total = (months * factor).normalize()
        yield fees.start(), f"the fees of {total:f} months", f"{total:f} months fees"
        return
    if re.search(
        r"(?i)\bannual\b|\bper year\b|\b(?:in|for|during) (?:the|such|that|any)(?: \w+)? (?:calendar "
        r"|contract )?year\b|\bpreceding year",
        tail,
    ):
        total = (12 * factor).normalize()
        yield fees.start(), f"the fees of {total:f} months", f"{total:f} months fees"
    elif re.search(r"(?i)\b(?:paid|payable|received|due|value|price|compensation)\b", tail):
        share = "" if factor == 1 else f"{(factor * 100).normalize():f} % of "
        yield (
            fees.start(),
            f"{share}the total fees",
            "total fees" if factor == 1 else f"{factor.normalize():f} times total fees",
        )


def _factor(text: str) -> Decimal:
    match = _MULTIPLE.search(text)
    if match is None:
        return Decimal(1)
    if match.group("percent"):
        return Decimal(match.group("percent")) / 100
    if match.group("times"):
        return Decimal(match.group("times"))
    if match.group("twice"):
        return Decimal(2)
    number = Decimal(words_to_number(match.group("words")))
    return number if match.group("unit") == "times" else number / 100


def _unlimited(reading: Reading) -> Iterator[Candidate]:
    for span, text in reading.sentences_with("unlimited", "uncapped", "without limit", "no cap", "no limit"):
        found = _NO_CAP.search(text)
        if found and not _CARVE.search(text):
            yield Candidate("Unlimited", "unlimited", (_clause(span, text, found),), Tier.STATED, 1.0)


def _clause(span: Span, text: str, limit: re.Match[str]) -> Span:
    if len(text) <= 700:
        return span
    begin = max(0, limit.start() - 250)
    return span[0] + begin, min(span[1], span[0] + limit.start() + 700)

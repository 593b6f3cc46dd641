"""When invoices are to be paid: "net 30", "within thirty (30) days of receipt of invoice".

Times to send, question or correct an invoice, and times to pay after the end of the contract, are
not payment terms.
"""

import re
from collections.abc import Iterator

from .durations import Duration, find_durations
from .reading import Candidate, Reading, Span, Tier, phrase

_NET = phrase(r"\bnet[ -]*(?:\(?(?P<days>\d{1,3})\)?|(?P<worded>(?:[a-z-]+ ?){1,2}\(\d{1,3}\)))(?: ?days?)?\b(?!%)")
_PAY = phrase(r"\b(?:pay|pays|paid|payable|payment|payments|remit\w*|due|settle[ds]?|reimburse)\b")
_INVOICE = phrase(r"\b(?:invoices?|invoiced|invoicing|statements?|bills?|billing)\b")
_AFTER = phrase(
    r"[' ,)]*(?:of|from|after|following|upon|as of|subsequent to|net)(?: and including)?(?: the| its| any| such| each"
    r"| an| a| date of| date| receipt| of| by| customer'?s?| later of| delivery| presentation| issuance| submission"
    r"| proper| valid| correct| undisputed| [\w.&-]+'s?| [A-Z][\w-]+)*"
    r" ?(?:invoices?|statements?|bills?|billing)"
)
_AFTER_OTHER = phrase(
    r"[' ,)]*(?:of|from|after|following)(?: the| its| date of| date| receipt| end of| close of| each| such| delivery"
    r"| shipment| calendar| month| quarter| last day of)+"
)
_WITHIN = phrase(
    r"\b(?:within|net|not later than|no later than|in|on or before|terms? (?:of|are|is|shall be))(?: a period of"
    r"| the)?[ ]*$"
)
_ON_RECEIPT = phrase(
    r"\b(?:due|payable|paid|pay)\b[^.;]{0,40}\b(?:upon|on)(?: \w+'s?)? (?:receipt"
    r"|presentation)(?: of)?[^.;]{0,20}\b(?:invoice|statement|bill)?"
)
_NOT_PAYMENT = phrase(
    r"\b(?:terminat\w+|expiration|dispute\w*|object\w*|audit|discrepan\w+|overpay\w*|underpay\w*|refund|past due"
    r"|overdue|late|delinquent|fail\w* to pay|notice|default|interest|insurance|arbitrat\w+)\b"
)
_SENDS = phrase(
    r"\b(?:shall|will|must|to) (?:invoice|bill|submit|send|issue|render|provide|deliver|furnish)\b[^.;]{0,80}$"
)


def payment_terms(reading: Reading) -> Candidate | None:
    """The time in which invoices fall due; the plainest wording, then the first."""
    found = [*_nets(reading), *_withins(reading), *_on_receipt(reading)]
    best = max(found, key=lambda candidate: candidate.score, default=None)
    return best if best and best.score >= 1.5 else None


def _nets(reading: Reading) -> Iterator[Candidate]:
    for span, text in reading.sentences_with("net"):
        for match in _NET.finditer(text):
            digits = re.search(r"\d{1,3}", match.group())
            if digits is None or not (_PAY.search(text) or _INVOICE.search(text) or "terms" in text.lower()):
                continue
            days = int(digits.group())
            if 0 < days <= 365:
                score = 2.6 - _penalty(text) - _place(reading, span)
                yield Candidate(_days(days), f"P{days}D", (_clause(span, match.start()),), Tier.STATED, score)


def _withins(reading: Reading) -> Iterator[Candidate]:
    for span, text in reading.sentences_with("invoice", "pay", "remit", "due", "bill"):
        if not _PAY.search(text):
            continue
        for duration in find_durations(text):
            score = _fit(text, duration)
            if score is not None:
                words = duration.words + _anchor(text, duration)
                score = score - _penalty(text) - _place(reading, span)
                tier = Tier.STATED if score >= 2 else Tier.CUED
                yield Candidate(words, duration.iso, (_clause(span, duration.start),), tier, score)


def _fit(text: str, duration: Duration) -> float | None:
    before, after = text[: duration.start], text[duration.end :]
    if duration.unit == "year" or _SENDS.search(before[-120:]):
        return None
    score = 0.6 * bool(_WITHIN.search(before[-40:])) + 0.5 * bool(_PAY.search(before[-120:]))
    if _AFTER.match(after):
        return score + 1.4
    if _AFTER_OTHER.match(after) and _INVOICE.search(text):
        return score + 0.6
    return None


def _anchor(text: str, duration: Duration) -> str:
    after = text[duration.end : duration.end + 120].lower()
    if "receipt" in after or "receiv" in after:
        return " after receipt of invoice"
    return " after the invoice" if _AFTER.match(text[duration.end :]) else ""


def _on_receipt(reading: Reading) -> Iterator[Candidate]:
    for span, text in reading.sentences_with("upon receipt", "on receipt", "upon presentation"):
        match = _ON_RECEIPT.search(text)
        if match and _INVOICE.search(text):
            score = 1.8 - _penalty(text) - _place(reading, span)
            yield Candidate("On receipt of invoice", "P0D", (_clause(span, match.start()),), Tier.CUED, score)


def _penalty(text: str) -> float:
    return 0.7 * bool(_NOT_PAYMENT.search(text))


def _place(reading: Reading, span: Span) -> float:
    return span[0] / (4 * len(reading.text) + 1)


def _days(days: int) -> str:
    return f"Net {days} days"


def _clause(span: Span, position: int) -> Span:
    if span[1] - span[0] <= 500:
        return span
    begin = span[0] + max(0, position - 250)
    return begin, min(span[1], begin + 500)

"""Whether and for how long the contract renews, and what notice stops it.

The notice period is the one that prevents a renewal. Where the contract has none, the notice to end
it without cause is given instead, and its value says so.
"""

import re
from collections.abc import Iterator

from .durations import Duration, find_durations
from .reading import Candidate, Reading, Span, Tier, phrase

RENEWAL = "Renewal Term"
NOTICE = "Notice Period To Terminate Renewal"
CONVENIENCE = "Termination For Convenience"

_RENEWS = phrase(
    r"\b(?:automatic(?:ally)?|tacit(?:ly)?)[ ,\w]{0,40}\b(?:renew\w*|extend\w*|extension\w*|continue\w*|roll\w*)"
    r"|\b(?:renew(?:s|ed|al)?|renewable|extended|extension"
    r"|prolong\w*|roll over)\b|\bextend\w* (?:the |this )?(?:\w+ )?(?:term|agreement|contract)\b"
    r"|\bextends? for (?:an )?additional|\bthereafter[^.;]{0,40}\b(?:continue|effective)\w*|\bcontinue on an?\b"
)
_AUTOMATIC = phrase(
    r"\bautomatic|\btacit|\bself-renew|\bevergreen|\b(?:shall|will|is|are) (?:thereafter |then |be |also "
    r"|further )*(?:renew|extended)\w*[^.;]{0,80}\bunless"
    r"|\bunless [^.;]{10,200}(?:shall|will) (?:be )?(?:renew|extended)|\byear[- ]to[- ]year|\bmonth[- ]to[- ]month"
    r"|\b(?:shall|will) (?:thereafter )?(?:be )?renewed? (?:for|on|from)"
    r"|\brenews\b|\bthereafter (?:shall |will )?(?:continue|renew)"
)
_OPTION = phrase(
    r"\boptions?\b|\bmay (?:be )?(?:[\w']+ ){0,3}(?:renew|extend)|\brenewable\b"
    r"|\bright\b[^.;]{0,20} to (?:\w+ )?(?:renew|extend)|\bopportunity to renew|\belect"
    r"|\bat (?:its|their|the)[\w ]* (?:option|discretion)|\bmutual(?:ly)?\b|\bby (?:written )?agreement|\bagree\b"
)
_SUBJECT = phrase(r"\b(?:agreement|contract|term|renewal|extension|appointment|license|lease|period|engagement)\b")
_OF_CONTRACT = phrase(
    r"\b(?:extend|renew|extension of|renewal of)\w* (?:the |this )?(?:initial |then[- ]current )?(?:term|agreement"
    r"|contract)\b"
    r"|\b(?:agreement|contract|term)\b[^.;]{0,60}\b(?:renewed|renewable|extended|renew|extend)\b|\brenewal term"
)
_CONDITIONAL = phrase(
    r"[ \d.()a-z]{0,8}in the event (?:that )?(?:the|any)\b[^.;]{0,60}\b(?:is|are) (?:automatically )?(?:renewed"
    r"|extended)"
)
_SUCCESSIVE = phrase(
    r"\bsuccessive|\bconsecutive|\bannual(?:ly)?|\byear[- ]to[- ]year|\beach year|\bevery year|\bperiods\b|\bterms\b"
    r"|\beach (?:subsequent|additional|renewal|succeeding)|\bfrom year"
)
_YEARLY = phrase(r"\b(?:annual(?:ly)?|year[- ]to[- ]year|every year|each year|yearly)\b")
_MONTHLY = phrase(r"\bmonth[- ]to[- ]month\b|\bmonthly\b")
_SAME = phrase(
    r"\b(?:same|equal|identical|like|similar) (?:in )?(?:length|duration|period|term)|\bequal (?:in duration )?to"
)
_OTHER = phrase(
    r"\bpatent|\bwarrant|\binsurance|\bcopyright|\bregistration|\bdeadline|\btime for|\btime lost|\bdelay|\bdelivery"
    r"|\bdue date|\bcredit|\bloan|\bpermit|\bdomain"
    r"|\btrademark renewal|\bpayment|\bwork order|\bpurchase order|\bcure period|\bforce majeure|\bfailure to supply"
)
_NOTICE_WORDS = phrase(r"\bnotice|\bnotif\w+|\bprior to\b|\bbefore\b|\bin advance|\bdeliver|\badvis\w+")
_NON_RENEWAL = phrase(
    r"\bnon-? ?renew|\bnot (?:to )?(?:be )?(?:renew|extend)|\bunless\b|\bterminat\w+|\bcancel\w*|\bdoes not wish"
    r"|\bopt out|\bintention not|\bsuch notice|\bnotice (?:must|shall) be given"
)
_PERIOD_OF_NOTICE = phrase(
    r"[' ,)]*(?:of )?(?:advance |in advance|prior|written|notice|before|preceding|or more|advance|days)"
)
_LEAD = phrase(
    r"\b(?:at least|not less than|no less than|no fewer than|not fewer than|not later than|no later than|minimum of"
    r"|within|not more than|upon|by|on|with|by giving|giving|than|prior|least)[ (\w]{0,20}$"
)
_LONGER_LEAD = phrase(
    r"\b(?:at least|less than|fewer than|later than|within|prior|notice|advance|than|period up to)[ (\w]{0,20}$"
)
_NOTICE_OF_OTHER = phrase(
    r"\b(?:rates?|charges?|pricing|prices?|proposal|deficienc\w+)\b|\b(?:desire|wish|right|option"
    r"|opportunity) to renew\b"
)
_SUCH_NOTICE = phrase(r"\bsuch notice|\bnotice (?:must|shall) be given")
_CONVENIENCE = phrase(
    r"\b(?:either party|each party|any party|both parties|[\w' ]{2,40}) (?:may|shall have the right to"
    r"|has the right to|can|shall be entitled to) (?:[\w,' ]{0,40} )?(?:terminat|cancel|end\b)\w*"
    r"|\b(?:may|can) (?:be )?(?:terminated|cancell?ed)|\bcancellable"
)
_WITHOUT_CAUSE = phrase(
    r"\bat any time|\bat will|\bfor any reason|\bwithout cause|\bwith or without cause|\bfor (?:its )?convenience"
    r"|\bno reason|\bin its (?:sole )?discretion|\bwithout (?:any )?reason|\bfor any or no"
)
_FOR_CAUSE = phrase(
    r"\bbreach|\bdefault|\binsolven|\bbankrupt|\bfail\w*|\bcure|\bmaterial|\bviolat|\bunless [^.]{0,30}cured"
    r"|\bforce majeure"
)


def renewal(reading: Reading, term: Duration | None) -> Candidate | None:
    """The renewal term, whether automatic or by option; a bare "may be renewed" without length counts not."""
    best = max(_renewals(reading, term), key=lambda candidate: candidate.score, default=None)
    return best if best and best.score >= 1.6 else None


def notice_period(reading: Reading, renews: Candidate | None) -> Candidate | None:
    """The notice that prevents renewal, else the notice to terminate without cause."""
    found = list(_renewal_notices(reading, renews)) or list(_convenience_notices(reading))
    return max(found, key=lambda candidate: candidate.score, default=None)


def _renewals(reading: Reading, term: Duration | None) -> Iterator[Candidate]:
    for span, text in reading.sentences_with(
        "renew", "exten", "thereafter", "prolong", "tacit", "month to month", "month-to-month"
    ):
        cue = _RENEWS.search(text)
        if cue is None or not (_SUBJECT.search(text) or "tacit" in text.lower()) or _CONDITIONAL.match(text):
            continue
        evidence = reading.evidence(RENEWAL, span[0])
        is_automatic, has_option = bool(_AUTOMATIC.search(text)), bool(_OPTION.search(text))
        length = _renewal_length(text, cue, term)
        if length is None or not (is_automatic or has_option or evidence >= 0.4):
            continue
        score = 1.0 * is_automatic + 0.3 * has_option + 0.4 * bool(_OF_CONTRACT.search(text)) + evidence + 1.0
        score -= 1.4 * bool(_OTHER.search(text, max(0, cue.start() - 100), cue.end() + 120)) + span[0] / (
            20 * len(reading.text)
        )
        words, normalized = length
        value = _renewal_words(text, words, is_automatic=is_automatic)
        yield Candidate(value, normalized, (_shortened(span, cue),), Tier.STATED if is_automatic else Tier.CUED, score)


def _renewal_words(text: str, length: str, *, is_automatic: bool) -> str:
    how = "Automatic" if is_automatic else "By option or agreement"
    many = "successive periods" if _SUCCESSIVE.search(text) else "one further period"
    return f"{how}, {many} of {length}"


def _renewal_length(text: str, cue: re.Match[str], term: Duration | None) -> tuple[str, str | None] | None:
    for duration in find_durations(text, cue.start()):
        if _PERIOD_OF_NOTICE.match(text[duration.end :]) or _LONGER_LEAD.search(text[cue.start() : duration.start]):
            continue
        if duration.unit == "day" and duration.amount < 28:
            continue
        return duration.words, duration.iso
    if _SAME.search(text):
        return "the same length", term.iso if term else None
    if _YEARLY.search(text, cue.start()) or _YEARLY.search(text):
        return "1 year", "P12M"
    return ("1 month", "P1M") if _MONTHLY.search(text) else None


def _renewal_notices(reading: Reading, renews: Candidate | None) -> Iterator[Candidate]:
    for span, text in _notice_sentences(reading, renews):
        evidence = reading.evidence(NOTICE, span[0])
        renewal_cue = re.search(
            r"(?i)renew|extend|extension|expir|then[- ]current|end of (?:the|such|each|any|a)\b", text
        )
        if (_OTHER.search(text) or _NOTICE_OF_OTHER.search(text)) and evidence < 0.4:
            continue
        if not (renewal_cue and _NOTICE_WORDS.search(text) and _NON_RENEWAL.search(text)) and evidence < 0.4:
            continue
        near = renews is not None and abs(span[0] - renews.spans[0][0]) < 900
        score = (
            evidence
            + 1.0 * near
            + bool(re.search(r"(?i)renew", text))
            - 0.8 * bool(_FOR_CAUSE.search(text))
            + 0.5 * bool(_SUCH_NOTICE.search(text))
        )
        for duration in find_durations(text):
            lead, after = text[max(0, duration.start - 60) : duration.start], text[duration.end : duration.end + 90]
            fits = bool(_LEAD.search(lead)) + bool(_PERIOD_OF_NOTICE.match(after))
            if fits and score + 0.4 * fits >= 1.8 and not re.match(r"(?i) *(?:period|term)", after):
                yield Candidate(
                    duration.words, duration.iso, (_around(span, duration),), Tier.STATED, score + 0.4 * fits
                )


def _notice_sentences(reading: Reading, renews: Candidate | None) -> Iterator[tuple[Span, str]]:
    seen: set[Span] = set()
    for span, text in reading.sentences_with("renew", "extend", "extension", "expir", "then-current", "then current"):
        seen.add(span)
        yield span, text
    if renews is not None:
        for span in reading.sentences:
            if span not in seen and 0 <= span[0] - renews.spans[0][0] < 700:
                yield span, reading.text[span[0] : span[1]]


def _convenience_notices(reading: Reading) -> Iterator[Candidate]:
    for span, text in reading.sentences_with("terminat", "cancel", " end "):
        evidence = reading.evidence(CONVENIENCE, span[0])
        free = bool(_WITHOUT_CAUSE.search(text))
        if not (_CONVENIENCE.search(text) and (free or evidence >= 0.5) and "notice" in text.lower()):
            continue
        if _FOR_CAUSE.search(text) and not free:
            continue
        for duration in find_durations(text):
            if _PERIOD_OF_NOTICE.match(text[duration.end :]) or _LEAD.search(
                text[max(0, duration.start - 60) : duration.start]
            ):
                value = f"{duration.words} to terminate without cause"
                score = free + evidence - span[0] / (5 * len(reading.text))
                yield Candidate(value, duration.iso, (_around(span, duration),), Tier.CUED, score)
                break


def _shortened(span: Span, cue: re.Match[str]) -> Span:
    if span[1] - span[0] <= 600:
        return span
    begin = span[0] + max(0, cue.start() - 150)
    return begin, min(span[1], begin + 600)


def _around(span: Span, duration: Duration) -> Span:
    if span[1] - span[0] <= 600:
        return span
    begin = span[0] + max(0, duration.start - 350)
    return begin, min(span[1], span[0] + duration.end + 200)

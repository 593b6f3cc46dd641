"""The deterministic executive summary: what the contract is, its main terms, and its gravest risks.

Every sentence goes through the same check as a model's would. A wording that the quotes do not
support gives way to a plainer one; what has no supported wording is left out and counted as dropped.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from mainspring.showcase.contracts.citations import checked_summary
from mainspring.showcase.contracts.types import Analysis, AssessedFinding, Fact, Method, Summary, SummarySentence

from .sentences import Wordings, of_facts, of_key_clauses, of_risks, opening

_MOST = 10
_RISKS = 3
_FEWEST = 5


def summarize(analysis: Analysis, facts: Sequence[Fact], findings: Sequence[AssessedFinding]) -> Summary:
    """A summary of at most ten sentences, usually five or more, each cited, verified and supported.

    Facts first, then up to three findings that have a place, then quoted key clauses where the
    summary would be short. An empty contract gives an empty summary.
    """
    by_name = {fact.name: fact for fact in facts}
    kept: list[SummarySentence] = []
    dropped = 0
    for wordings in chain([opening(analysis, by_name)], of_facts(by_name)):
        chosen = _first_supported(analysis, wordings)
        dropped += bool(wordings) and chosen is None
        kept += [chosen] if chosen else []
    kept += _some(analysis, of_risks(findings), _RISKS)
    kept += _some(analysis, of_key_clauses(analysis), max(0, _FEWEST - len(kept)))
    return Summary(tuple(_without_repeats(kept)[:_MOST]), Method.RULE, dropped)


def _some(analysis: Analysis, groups: Iterator[Wordings], most: int) -> list[SummarySentence]:
    found: list[SummarySentence] = []
    for wordings in groups:
        if len(found) >= most:
            break
        chosen = _first_supported(analysis, wordings)
        if chosen:
            found.append(chosen)
    return found


def _first_supported(analysis: Analysis, wordings: Wordings) -> SummarySentence | None:
    for wording in wordings:
        if checked_summary((wording,), analysis.document, Method.RULE).sentences:
            return wording
    return None


def _without_repeats(sentences: list[SummarySentence]) -> list[SummarySentence]:
    return list({sentence.text: sentence for sentence in sentences}.values())

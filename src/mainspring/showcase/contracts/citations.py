"""Citations and the one question that matters about them: does the quote carry the sentence?

A citation is a place; it verifies when its quote is what the document says there. A sentence is
supported when everything checkable in it (numbers, amounts, dates, names, quoted words, negations)
stands in its quotes, and enough of its other words do. The check is deterministic and strict on
purpose: it throws away some good sentences of a model and lets few bad ones through.
"""

from collections.abc import Sequence

from mainspring.orchestration.knowledge.types import ParsedDocument

from .quoting import cite, verify
from .support import supported
from .types import Method, Summary, SummarySentence

__all__ = ["checked_summary", "cite", "supported", "verify"]


def checked_summary(sentences: Sequence[SummarySentence], document: ParsedDocument, method: Method) -> Summary:
    """Keep the sentences that cite, whose every citation verifies, and whose quotes support them.

    The others are dropped whole and counted in `Summary.dropped`; nothing is repaired.
    """
    kept = tuple(sentence for sentence in sentences if _holds(sentence, document))
    return Summary(kept, method, dropped=len(sentences) - len(kept))


def _holds(sentence: SummarySentence, document: ParsedDocument) -> bool:
    if not sentence.text.strip() or not sentence.citations:
        return False
    if not all(verify(document, citation) for citation in sentence.citations):
        return False
    return supported(sentence.text, sentence.citations)

"""How much each term of a question says, as far as this reader may know.

The rarity of a term is computed from the chunks that the reader may read: documents that are not for them
change no score, so no score tells that a word stands in one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mainspring.foundation.db import TenantTransaction
from mainspring.orchestration.knowledge.indexing.store import analyse
from mainspring.orchestration.knowledge.indexing.terms import configuration_of, term_id, terms_text

from . import store
from .asking import Asked
from .store import Extent, Scope

_MOST_TERMS = 64


@dataclass(frozen=True, slots=True)
class Weighed:
    """The terms of a question with their rarity.

    words    what each term id stands for; identifiers are among them
    weights  of the terms that some chunk holds, the rarest 64
    exact    which of them are identifiers
    phrase   terms of the quoted phrases
    total    rarity of all terms, those that no chunk holds included
    """

    words: Mapping[int, str]
    weights: Mapping[int, float]
    exact: frozenset[int] = frozenset()
    phrase: frozenset[int] = frozenset()
    total: float = 0.0

    def vector(self, terms: frozenset[int] | None = None) -> str | None:
        """A sparsevec of these terms, of all by default; None when no chunk holds one."""
        chosen = {term: weight for term, weight in self.weights.items() if terms is None or term in terms}
        return terms_text(chosen) if chosen else None

    def vectors(self) -> list[str]:
        """Each term alone, in order of `weights`."""
        return [terms_text({term: weight}) for term, weight in self.weights.items()]


async def weigh(transaction: TenantTransaction, scope: Scope, asked: Asked, extent: Extent) -> Weighed:
    """Analyse the question in the languages of the documents, and weigh its terms."""
    words = await _words(transaction, asked.text, extent.languages)
    exact = {term_id("exact", name): name for name in asked.identifiers}
    phrase = await _words(transaction, " ".join(each.text for each in asked.phrases), extent.languages)
    everything = {**words, **exact}
    counts = await store.count_terms(transaction, scope, list(everything), all_readable=extent.hidden == 0)
    rarities = {term: rarity(extent.readable_chunks, counts.get(term, 0)) for term in everything}
    held = sorted((term for term in everything if term in counts), key=lambda term: -rarities[term])[:_MOST_TERMS]
    return Weighed(
        everything,
        {term: rarities[term] for term in held},
        frozenset(exact),
        frozenset(phrase),
        sum(rarities[term] for term in words),
    )


def rarity(chunks: int, holding: int) -> float:
    """BM25's inverse document frequency; never negative."""
    return math.log(1 + max(chunks - holding + 0.5, 0.5) / (holding + 0.5))


async def _words(transaction: TenantTransaction, text: str, languages: Sequence[str]) -> dict[int, str]:
    """Stemmed words by term id. Words joined by a slash are also looked for apart: Postgres takes them for a path."""
    if not text:
        return {}
    found: dict[int, str] = {}
    for configuration in sorted({configuration_of(language) for language in languages} or {"simple"}):
        for analysed in await analyse(transaction, [text, text.replace("/", " ")], configuration):
            found |= {term_id("word", word): word for word in analysed}
    return found

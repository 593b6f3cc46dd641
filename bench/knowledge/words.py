"""The words' side at the same scale: BM25 as one inner product over sparse vectors, against Postgres' full text."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .asking import CANDIDATES, Questions
from .rig import Timing, summarise

_OWN_PAGES = {"enable_seqscan": "off"}  # as searches ask of a large tenant
_ONE_PROCESS = {**_OWN_PAGES, "max_parallel_workers_per_gather": "0"}
_TERMS_ASKED = 6
_FULL_TEXT_CHUNKS = 30_000


@dataclass(frozen=True, slots=True)
class Words:
    """By size of tenant: sparse vectors by one process and with two workers beside it; full text where it was tried."""

    one_process: Mapping[str, Timing]
    two_workers: Mapping[str, Timing]
    full_text: Mapping[str, Timing]


def measure_words(questions: Questions) -> Words:
    """Six terms a question, of which the chunks hold some."""
    asked = _draw_questions(questions)
    return Words(
        _ask_all(questions, asked, _SPARSE, _ONE_PROCESS),
        _ask_all(questions, asked, _SPARSE, {**_OWN_PAGES, "max_parallel_workers_per_gather": "2"}),
        _measure_full_text(questions, asked),
    )


_SPARSE = (
    "select document_id, ordinal from chunk_terms where tenant_id = %(tenant)s and index_id = %(index)s "
    f"order by %(terms)s::sparsevec <#> terms limit {CANDIDATES}"
)
_FULL_TEXT = (
    "select document_id, ordinal from bench_text where tenant_id = %(tenant)s and words @@ %(words)s::tsquery "
    f"order by ts_rank_cd(words, %(words)s::tsquery) desc limit {CANDIDATES}"
)


def _draw_questions(questions: Questions) -> list[dict[str, str]]:
    random = np.random.default_rng(questions.corpus.seed)
    bags = [
        row[0][1:].partition("}")[0].split(",")
        for row in questions.rig.admin.execute("select terms::text from chunk_terms limit %s", (questions.each,))
    ]
    drawn: list[dict[str, str]] = []
    for bag in bags:
        terms = [bag[place].partition(":")[0] for place in sorted(random.permutation(len(bag))[:_TERMS_ASKED])]
        weights = random.uniform(1, 8, size=len(terms))
        pairs = ",".join(f"{term}:{weight:.3f}" for term, weight in zip(terms, weights, strict=True))
        drawn.append({"terms": f"{{{pairs}}}/1000000000", "words": " | ".join(terms)})
    return drawn


def _ask_all(
    questions: Questions, asked: list[dict[str, str]], statement: str, settings: Mapping[str, str]
) -> dict[str, Timing]:
    timings: dict[str, Timing] = {}
    for of in questions.classes:
        milliseconds: list[float] = []
        for place in of.places:
            holding = questions.corpus.holdings[place]
            ids = {"tenant": holding.tenant, "index": holding.index}
            questions.rig.ask(holding.tenant, statement, {**ids, **asked[0]}, settings)
            milliseconds += [
                questions.rig.ask(holding.tenant, statement, {**ids, **each}, settings)[0] for each in asked
            ]
        timings[of.name] = summarise(milliseconds)
    return timings


def _measure_full_text(questions: Questions, asked: list[dict[str, str]]) -> dict[str, Timing]:
    """On the largest tenant of each size up to a limit: a tsvector of the same terms, without a GIN index, which row
    level security keeps from being used anyway."""
    rig, holdings = questions.rig, questions.corpus.holdings
    places = [each.places[0] for each in questions.classes if holdings[each.places[0]].chunks <= _FULL_TEXT_CHUNKS]
    if not places:
        return {}
    rig.run("create table bench_text (tenant_id uuid, document_id uuid, ordinal integer, words tsvector)")
    rig.run("grant select on bench_text to mainspring_tenant")
    rig.run(
        "insert into bench_text select tenant_id, document_id, ordinal, to_tsvector('simple', "
        "regexp_replace(split_part(terms::text, '}', 1), ':[0-9.e-]+|[{,]', ' ', 'g')) "
        "from chunk_terms where tenant_id = any(%s)",
        ([holdings[place].tenant for place in places],),
    )
    rig.run("create index on bench_text (tenant_id)")
    rig.run("vacuum (analyze) bench_text")
    only = questions.among(frozenset(places), 1)
    timings = _ask_all(only, asked, _FULL_TEXT, _ONE_PROCESS)
    rig.run("drop table bench_text")
    return timings

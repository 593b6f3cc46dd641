"""The figures as Markdown tables, to be pasted into the decision record."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from .ingesting import Ingested, Pass
from .options import Option
from .results import Report
from .rig import Timing


def show(report: Report) -> str:
    """All sections."""
    sections = (_head(report), _searches(report.options), _costs(report.options), _words(report), _whole(report),
                _growth(report), _ingestion(report.ingested))  # fmt: skip
    return "\n\n".join("\n".join(lines) for lines in map(tuple, sections) if lines)


def _head(report: Report) -> Iterator[str]:
    yield f"{report.surroundings} before, {report.load_after:.2f} after"
    yield report.corpus
    yield "Postgres: " + ", ".join(f"{name} {value}" for name, value in report.settings.items())


def _searches(options: Sequence[Option]) -> Iterator[str]:
    if not options:
        return
    yield "Vector search by size of tenant: recall@10, p50 / p95 in ms from BEGIN to the last of 100 rows"
    yield ""
    classes = list(dict.fromkeys(name for option in options for name in option.timings))
    yield from _table(
        ("option", "measured on", *classes),
        ((option.name, option.scale, *(_cell(option.timings.get(name)) for name in classes)) for option in options),
    )


def _costs(options: Sequence[Option]) -> Iterator[str]:
    if not options:
        return
    yield "What each costs (the tenant that comes and goes has 2,000 chunks, in the short form a fiftieth of all)"
    yield ""
    header = ("option", "build s", "size MB", "create tenant ms", "insert rows/s", "delete tenant ms")
    yield from _table(
        header,
        (
            (
                option.name,
                f"{option.build_seconds:,.1f}",
                f"{option.megabytes:,.0f}" if option.megabytes else "-",
                f"{option.create_ms:,.1f}",
                f"{option.rows_per_second:,.0f}",
                f"{option.delete_ms:,.0f}",
            )
            for option in options
        ),
    )
    yield ""
    yield from (f"- {option.name}: {option.note}" for option in options if option.note)


def _words(report: Report) -> Iterator[str]:
    if report.words is None:
        return
    yield "Words by size of tenant: p50 / p95 in ms"
    yield ""
    rows = {
        "BM25 over sparsevec, one process": report.words.one_process,
        "the same with two parallel workers": report.words.two_workers,
        "tsvector @@ and ts_rank_cd": report.words.full_text,
    }
    yield from _by_class(rows)


def _whole(report: Report) -> Iterator[str]:
    if report.whole is None:
        return
    yield "Whole searches through `Search`, embedding of the question aside: p50 / p95 in ms"
    yield ""
    yield from _by_class({"hybrid": report.whole.hybrid, "vector only": report.whole.vector})
    yield ""
    yield from (f"- {name}: p50 {each.p50:.1f}, p95 {each.p95:.1f} ms" for name, each in report.whole.overall.items())
    for name, parts in report.whole.parts.items():
        yield f"- {name}: " + ", ".join(f"{part} {took:.1f}" for part, took in parts.items() if took >= 0.05)


def _growth(report: Report) -> Iterator[str]:
    if not report.growth:
        return
    yield "What grows with tenants"
    yield ""
    header = ("", "planning ms", "first statement ms", "memory of a connection kB", "catalogue MB", "to make, s")
    yield from _table(
        header,
        (
            (
                each.what,
                f"{each.planning_ms:.2f}",
                f"{each.first_ms:.1f}",
                f"{each.memory_kb:,.0f}",
                f"{each.catalogue_mb:.1f}",
                f"{each.seconds:.1f}",
            )
            for each in report.growth
        ),
    )


def _ingestion(ingested: Sequence[Ingested]) -> Iterator[str]:
    if not ingested:
        return
    yield "Ingestion, and sending everything again after a change"
    yield ""
    header = (
        "model",
        "documents",
        "chunks",
        "chunks/s",
        "1 % of paragraphs, far apart: time, texts",
        "a paragraph in 1 % of documents: time, texts",
    )
    yield from _table(
        header,
        (
            (
                each.embedder,
                f"{each.documents:,}",
                f"{each.chunks:,}",
                f"{each.chunks_per_second:,.0f}",
                _share(each.paragraphs, each.first),
                _share(each.few, each.first),
            )
            for each in ingested
        ),
    )


def _share(again: Pass, first: Pass) -> str:
    return f"{again.seconds / first.seconds:.1%}, {again.texts / first.texts:.1%}"


def _by_class(rows: Mapping[str, Mapping[str, Timing]]) -> Iterator[str]:
    classes = list(dict.fromkeys(name for timings in rows.values() for name in timings))
    yield from _table(
        ("", *classes), ((title, *(_cell(timings.get(name)) for name in classes)) for title, timings in rows.items())
    )


def _cell(timing: Timing | None) -> str:
    if timing is None:
        return "-"
    times = f"{timing.p50:.1f} / {timing.p95:.1f}"
    return times if timing.recall is None else f"{timing.recall:.3f}, {times}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    cells = [tuple(header), *map(tuple, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for number, row in enumerate(cells):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        if not number:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"

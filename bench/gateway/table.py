"""The figures as tables in Markdown: medians over the runs, beside the ratio to nginx and to no gateway at all."""

from collections.abc import Callable, Iterator, Sequence

from .results import Measured, Results

_Cell = Callable[[Results, str], str]
_Columns = Sequence[tuple[str, _Cell]]

_DIRECT, _NGINX = "direct", "nginx"


def show(results: Results) -> str:
    """Every table for which something was measured."""
    measured = {name for run in results.runs for name in run.scenarios}
    sections = [results.surroundings]
    for title, needs, columns in _TABLES:
        if needs & measured:
            sections.append(f"### {title}\n\n" + _table(results, columns))
    sections.append("### Memory and start\n\n" + _table(results, _MEMORY))
    sections.append("\n".join(_notes(results)))
    return "\n\n".join(sections)


def _table(results: Results, columns: _Columns) -> str:
    """One row for each contender; columns in which nothing was measured are left out."""
    names = results.names()
    filled = [(title, [cell(results, name) for name in names]) for title, cell in columns]
    shown = [(title, cells) for title, cells in filled if _has_figures(cells)]
    rows = [[name, *(cells[place] for _, cells in shown)] for place, name in enumerate(names)]
    head = ["gateway", *(title for title, _ in shown)]
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in lines
    )


def _has_figures(cells: Sequence[str]) -> bool:
    return any(cell.strip("- /") for cell in cells)


def _notes(results: Results) -> Iterator[str]:
    for name in results.names():
        yield f"- {name}: {results.notes.get(name, '')} ({len(results.of(name))} runs)"
    for missing in results.missing:
        yield f"- {missing.name}: NOT MEASURED: {missing.reason}"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _rate(scenario: str) -> _Cell:
    return lambda results, name: _number(results.figure(name, scenario, lambda each: each.load.rps), 0)


def _ratio(scenario: str, to: str) -> _Cell:
    """Requests per second as a multiple of another contender's."""

    def cell(results: Results, name: str) -> str:
        mine = results.figure(name, scenario, lambda each: each.load.rps)
        other = results.figure(to, scenario, lambda each: each.load.rps)
        return "-" if mine is None or not other else f"{mine / other:.2f}"

    return cell


def _cost(scenario: str, digits: int = 3) -> _Cell:
    return lambda results, name: _number(results.figure(name, scenario, lambda each: each.cpu_per_thousand), digits)


def _engines(scenario: str) -> _Cell:
    def cell(results: Results, name: str) -> str:
        share = results.figure(name, scenario, lambda each: each.engines_share)
        return "-" if not share else f"{share:.0%}"

    return cell


def _latency(scenario: str, *percentiles: str) -> _Cell:
    def cell(results: Results, name: str) -> str:
        return " / ".join(
            _number(results.figure(name, scenario, lambda each, p=percentile: getattr(each.load.lat_ms, p)), 1)
            for percentile in percentiles
        )

    return cell


def added(results: Results, name: str, scenario: str, percentile: str, *, of: str = "lat_ms") -> float | None:
    """Milliseconds over the same percentile without a gateway; `of` is lat_ms or ttft_ms."""

    def read(measured: Measured) -> float | None:
        percentiles = getattr(measured.load, of)
        return None if percentiles is None else getattr(percentiles, percentile)

    mine, direct = results.figure(name, scenario, read), results.figure(_DIRECT, scenario, read)
    return None if mine is None or direct is None else mine - direct


def _added(scenario: str, *percentiles: str, of: str = "lat_ms") -> _Cell:
    return lambda results, name: " / ".join(
        _number(added(results, name, scenario, percentile, of=of), 2) for percentile in percentiles
    )


_TABLES: Sequence[tuple[str, set[str], _Columns]] = (
    (
        "Not streamed, 1 KB request, upstream answers at once",
        {"ns_c1", "ns_c64", "ns_c256"},
        (
            ("added p50 / p95 / p99 at c=1, ms", _added("ns_c1", "p50", "p95", "p99")),
            ("req/s c=64", _rate("ns_c64")),
            ("of nginx", _ratio("ns_c64", _NGINX)),
            ("of direct", _ratio("ns_c64", _DIRECT)),
            ("p50 / p99 c=64, ms", _latency("ns_c64", "p50", "p99")),
            ("req/s c=256", _rate("ns_c256")),
            ("p99 c=256, ms", _latency("ns_c256", "p99")),
            ("CPU-s per 1k", _cost("ns_c64")),
            ("by engines", _engines("ns_c64")),
            ("failed", lambda results, name: str(results.failures(name))),
        ),
    ),
    (
        "Upstream of 60 ms: latency added; and bodies of 64 KB",
        {"ns_slow64", "ns_rate100", "big_c16"},
        (
            ("100 req/s: added p50 / p95 / p99, ms", _added("ns_rate100", "p50", "p95", "p99")),
            ("CPU-s per 1k", _cost("ns_rate100", 2)),
            ("c=64: req/s", _rate("ns_slow64")),
            ("added p50 / p99, ms", _added("ns_slow64", "p50", "p99")),
            ("64 KB c=16: req/s", _rate("big_c16")),
            ("of nginx", _ratio("big_c16", _NGINX)),
            ("CPU-s per 1k, 64 KB", _cost("big_c16")),
        ),
    ),
    (
        "Streamed, 50 chunks",
        {"st_c1", "st_c64", "st_slow64"},
        (
            ("first event at c=1: added p50 / p99, ms", _added("st_c1", "p50", "p99", of="ttft_ms")),
            ("at once, c=64: streams/s", _rate("st_c64")),
            ("of nginx", _ratio("st_c64", _NGINX)),
            ("CPU-s per 1k", _cost("st_c64", 2)),
            ("60 ms + 10 ms gaps, c=64: streams/s", _rate("st_slow64")),
            ("first event: added p50 / p99, ms", _added("st_slow64", "p50", "p99", of="ttft_ms")),
            ("CPU-s per 1k, paced", _cost("st_slow64", 2)),
        ),
    ),
)


_MEMORY: _Columns = (
    ("start to first 200, s", lambda results, name: _number(results.median(name, lambda run: run.start_seconds), 2)),
    ("PSS idle, MiB", lambda results, name: _number(results.median(name, lambda run: run.idle_pss), 1)),
    ("PSS after the load", lambda results, name: _number(results.median(name, lambda run: run.pss), 1)),
    ("peak RSS", lambda results, name: _number(results.median(name, lambda run: run.peak), 1)),
    ("engines' PSS", lambda results, name: _number(results.median(name, lambda run: run.engines_pss), 1)),
)


def show_features(results: Results, whole: str) -> str:
    """What each feature costs: every variant's figures and its difference to `whole`, which has everything on."""

    def difference(scenario: str) -> _Cell:
        def cell(results: Results, name: str) -> str:
            mine = results.figure(name, scenario, lambda each: each.cpu_per_thousand)
            other = results.figure(whole, scenario, lambda each: each.cpu_per_thousand)
            if mine is None or other is None or name in (whole, _DIRECT):
                return "-"
            return f"{(mine - other) * 1000:+.1f}"

        return cell

    columns: _Columns = (
        ("req/s c=64", _rate("ns_c64")),
        ("added p50 / p99 at c=1, ms", _added("ns_c1", "p50", "p99")),
        ("CPU-s per 1k", _cost("ns_c64")),
        ("by engines", _engines("ns_c64")),
        ("against everything, us per request", difference("ns_c64")),
        ("streams/s c=64", _rate("st_c64")),
        ("against everything, us per stream", difference("st_c64")),
        ("PSS after the load, MiB", lambda results, name: _number(results.median(name, lambda run: run.pss), 1)),
        ("failed", lambda results, name: str(results.failures(name))),
    )
    table = "### What each feature costs\n\n" + _table(results, columns)
    return "\n\n".join((results.surroundings, table, "\n".join(_notes(results))))

"""The figures as lines of text, narrow enough to be pasted anywhere."""

from collections.abc import Iterator

from .figures import PAGE_CHARACTERS, Figures, Quality, Speed
from .first_events import Waits
from .quality import Cited, FactScores, Scores

GOAL_MILLISECONDS = 100


def show(figures: Figures) -> str:
    """All sections."""
    sections = (
        _head(figures),
        _speed(figures.speed) if figures.speed else (),
        _quality(figures.quality),
        _facts("Facts against CUAD's answers, all labelled text files", figures.quality.facts),
        _facts("Of these, contracts no rule was developed on", figures.quality.facts_untouched),
        _cited(figures.cited, figures.sentences_dropped),
        _waits(figures.first_event_at_rest, figures.first_event_busy),
        _again(figures),
    )
    return "\n\n".join("\n".join(section) for section in map(tuple, sections) if section)


def _head(figures: Figures) -> Iterator[str]:
    around = figures.surroundings
    files = ", ".join(f"{count} {kind}" for kind, count in figures.files.items())
    yield f"{around.at}, {around.cores} cores, load {around.load[0]} before and {around.load[1]} after,"
    yield f"{around.system}, Python {around.python}"
    yield f"analysed: {sum(figures.files.values())} files ({files}); failures: {len(figures.failures)}"
    yield from (f"  FAILED {failure.file}: {failure.reason}" for failure in figures.failures)


def _speed(speed: Speed) -> Iterator[str]:
    yield f"Speed, first POST to last end (a page without page breaks is {PAGE_CHARACTERS:,} characters)"
    yield f"  {speed.seconds:.1f} s for {speed.pages:,} pages and {speed.clauses:,} clauses"
    yield f"  {speed.pages_per_second:.1f} pages/s, {speed.clauses_per_second:.1f} clauses/s"
    yield f"  per contract: p50 {speed.per_contract_p50:.1f} s, p95 {speed.per_contract_p95:.1f} s"
    yield f"  {'step':<12}{'median s':>10}{'p95 s':>10}{'share':>8}"
    for step in speed.steps:
        yield f"  {step.step:<12}{step.median:>10.2f}{step.p95:>10.2f}{step.share:>8.0%}"


def _quality(quality: Quality) -> Iterator[str]:
    rows = {
        "does the contract hold it": quality.contract,
        "the same, from the PDF": quality.contract_of_pdf,
        "which has each clause": quality.clause,
    }
    if any(rows.values()):
        yield "CUAD's 38 categories, contracts not trained on"
        yield f"  {'':<28}{'rows':>7}{'micro-F1':>10}{'macro-F1':>10}{'precision':>11}{'recall':>8}"
    yield from (_score(name, scores) for name, scores in rows.items() if scores)


def _score(name: str, scores: Scores) -> str:
    return (
        f"  {name:<28}{scores.rows:>7,}{scores.micro:>10.3f}{scores.macro:>10.3f}"
        f"{scores.precision:>11.3f}{scores.recall:>8.3f}"
    )


def _facts(title: str, rows: tuple[FactScores, ...]) -> Iterator[str]:
    if rows:
        yield f"{title} ({rows[0].contracts})"
        yield f"  {'':<36}{'expected':>9}{'found':>7}{'precision':>11}{'recall':>8}{'accuracy':>10}"
    for row in rows:
        yield (
            f"  {row.question:<36}{row.expected:>9}{row.found:>7}"
            f"{row.precision:>11.2f}{row.recall:>8.2f}{row.accuracy:>10.2f}"
        )


def _cited(rows: tuple[Cited, ...], dropped: int) -> Iterator[str]:
    yield "Citations: the quote is the contract's text at its place"
    yield f"  {'':<20}{'statements':>11}{'cited':>8}{'absences':>10}{'citations':>11}{'valid':>9}"
    for row in rows:
        share = f"{row.valid / row.citations:.1%}" if row.citations else "-"
        yield (
            f"  {row.kind:<20}{row.statements:>11,}{row.with_citation:>8,}{row.absent:>10,}"
            f"{row.citations:>11,}{share:>9}"
        )
    yield f"  sentences dropped by the product, for want of a citation that holds: {dropped}"


def _waits(at_rest: Waits | None, busy: Waits | None) -> Iterator[str]:
    yield f"Time to first event, ms (goal: p50 from GET under {GOAL_MILLISECONDS})"
    yield f"  {'':<34}{'runs':>5}{'GET p50':>9}{'p95':>8}{'POST p50':>10}{'p95':>8}"
    for name, waits in (("one run at a time", at_rest), ("while the uploads are analysed", busy)):
        if waits:
            yield (
                f"  {name:<34}{waits.runs:>5}{waits.from_get_p50:>9.1f}{waits.from_get_p95:>8.1f}"
                f"{waits.from_post_p50:>10.1f}{waits.from_post_p95:>8.1f}"
            )
            yield "    first came " + ", ".join(f"{kind} {count} times" for kind, count in waits.types.items())


def _again(figures: Figures) -> Iterator[str]:
    again = figures.again
    yield (
        f"The same files again: {again.duplicates} of {again.files} answered as duplicates, "
        f"{again.runs_started} runs started"
    )

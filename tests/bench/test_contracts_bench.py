"""The benchmark's own arithmetic: what is uploaded, what counts as right, cited, fast, and a failure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.contracts.__main__ import main
from bench.contracts.analysing import Again, Analysed, Failure, Followed
from bench.contracts.figures import Figures, compose_figures, count_pages, time_steps
from bench.contracts.first_events import FirstEvent, summarise_waits
from bench.contracts.quality import (
    check_citations,
    clause_labels,
    is_valid,
    score_clauses,
    score_contracts,
    score_facts,
)
from bench.contracts.samples import Annotation, Mark, Sample, read_annotations, read_samples, take_turns
from bench.contracts.table import show
from mainspring.entry.client import (
    CategoryHeld,
    Chunk,
    Citation,
    Contract,
    ContractText,
    Fact,
    Finding,
    FindingCounts,
    Label,
    PlaybookUsed,
    Report,
    Run,
    RunStep,
    Sentence,
    Span,
    Submitted,
    Summary,
)
from mainspring.showcase.contracts.categories import CATEGORY_NAMES

LAW = "This agreement is governed by the laws of Delaware."
TERM = "It may be ended by either party at any time, for any reason."
TEXT = f"{LAW}\n{TERM}"
START = datetime(2026, 1, 1, tzinfo=UTC)
LAW_MARK = Mark("Governing Law", 0, len(LAW))
TERM_MARK = Mark("Termination for Convenience", len(LAW) + 1, len(TEXT))
ANNOTATION = Annotation(
    "acme", (Mark("Document Name", 0, 14), LAW_MARK, TERM_MARK), {"Governing Law": "Delaware", "Parties": None}
)
HERE = (Citation(0, len(LAW), LAW),)


def step(name: str, seconds: float) -> RunStep:
    return RunStep(name, name, "succeeded", 1, START, START + timedelta(seconds=seconds))


def finding(kind: str, citations: tuple[Citation, ...]) -> Finding:
    return Finding(
        id="fnd_1",
        rule="rule",
        kind=kind,
        severity="high",
        title="A title",
        why="A reason",
        method="rule",
        confidence=0.9,
        decision="open",
        citations=citations,
    )


RUN = Run("run_1", "contracts.analyze", "succeeded", "ctr_1", START, steps=(step("parse", 1), step("chunk", 3)))
CONTRACT = Contract(
    id="ctr_1",
    name="acme.txt",
    media_type="text/plain",
    size_bytes=len(TEXT),
    sha256="0" * 64,
    created_at=START,
    created_by="bench",
    playbook="buyer",
)
REPORT = Report(
    contract=CONTRACT,
    run_id="run_1",
    playbook=PlaybookUsed("buyer", 1),
    generated_at=START,
    method="deterministic",
    ai_enabled=True,
    methods={},
    summary=Summary("rule", 1, (Sentence("Delaware law governs.", HERE),)),
    counts=FindingCounts(high=2, open=2),
    facts=(Fact("governing_law", "Delaware", "rule", 0.9, citations=HERE),),
    categories=(CategoryHeld("Governing Law", "classifier", 0.9, HERE),),
    findings=(finding("limit", HERE), finding("missing", ())),
)
CHUNKS = (
    Chunk(0, 0, len(LAW), labels=(Label("Governing Law", 0.9, "classifier"),)),
    Chunk(1, len(LAW) + 1, len(TEXT)),
)
ANALYSED = Analysed(
    sample=Sample(Path("acme.txt"), "txt", ANNOTATION, is_untouched=True),
    followed=Followed(
        Submitted(CONTRACT, RUN, ""), sent_at=1.0, asked_at=1.5, first_at=1.6, ended_at=3.0, first="run.started"
    ),
    run=RUN,
    text=ContractText(TEXT, chunks=CHUNKS),
    report=REPORT,
)
NOTHING_NEW = Again(files=1, duplicates=1, runs_started=0)


def figures(*results: Analysed | Failure, again: Again = NOTHING_NEW) -> Figures:
    return compose_figures(results, [FirstEvent("run.started", 0.01, 0.03)], again, 0.5)


def with_quote(quote: str) -> Analysed:
    summary = Summary("rule", 0, (Sentence("Wrong.", (Citation(0, len(LAW), quote),)),))
    return replace(ANALYSED, report=replace(REPORT, summary=summary))


def test_a_limit_takes_every_format_in_turn_and_no_limit_takes_all_in_order():
    samples = [
        Sample(Path(f"{number}.{kind}"), kind) for kind, count in (("txt", 3), ("pdf", 1)) for number in range(count)
    ]
    assert [sample.path.name for sample in take_turns(samples, 3)] == ["0.txt", "0.pdf", "1.txt"]
    assert take_turns(samples, None) == tuple(samples)
    assert len(take_turns(samples, 99)) == 4


def test_files_are_found_with_their_annotations_and_every_second_contract_is_untouched(tmp_path: Path):
    for name in ("cuad/txt/a.txt", "cuad/txt/b.txt", "cuad/pdf/b.pdf", "templates/form.docx", "templates/form.odt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    lines = "\n".join(f'{{"id": "{name}", "labels": [], "answers": {{}}, "type": "x"}}' for name in "ba")
    (tmp_path / "cuad/annotations.jsonl").write_text(lines)
    samples = read_samples(tmp_path)
    assert [sample.path.name for sample in samples] == ["a.txt", "b.txt", "b.pdf", "form.docx"]
    assert [sample.is_untouched for sample in samples] == [False, True, True, False]
    assert [sample.annotation and sample.annotation.id for sample in samples] == ["a", "b", "b", None]


def test_an_annotation_keeps_places_and_answers_and_ignores_the_rest():
    line = (
        b'{"id": "a", "chars": 9, "labels": [{"category": "Insurance", "start": 1, "end": 4}], "answers": {"X": "Yes"}}'
    )
    assert read_annotations(line + b"\n") == {"a": Annotation("a", (Mark("Insurance", 1, 4),), {"X": "Yes"})}


def test_a_clause_has_the_categories_of_the_places_it_mostly_shares():
    labels = clause_labels(CHUNKS, ANNOTATION)
    assert labels.shape == (2, len(CATEGORY_NAMES))
    held = [[CATEGORY_NAMES[column] for column in row.nonzero()[0]] for row in labels]
    assert held == [["Governing Law"], ["Termination for Convenience"]]


def test_scores_compare_what_was_found_with_what_is_labelled():
    contract, clause = score_contracts([ANALYSED]), score_clauses([ANALYSED])
    assert contract
    assert clause
    assert (contract.rows, contract.precision, contract.recall) == (1, 1.0, 0.5)
    assert (clause.rows, clause.precision, clause.recall) == (2, 1.0, 0.5)
    assert contract.micro == pytest.approx(2 / 3)
    assert contract.macro == pytest.approx(1 / 38)


def test_a_contract_without_annotation_or_in_another_format_is_not_scored_by_clause():
    blank = replace(ANALYSED, sample=Sample(Path("form.md"), "md"))
    scan = replace(ANALYSED, sample=replace(ANALYSED.sample, kind="pdf"))
    assert score_contracts([blank]) is None
    assert score_clauses([blank, scan]) is None
    assert score_facts([blank]) == ()


def test_facts_are_counted_by_question():
    by_question = {scores.question: scores for scores in score_facts([ANALYSED, ANALYSED])}
    law, dates = by_question["Governing Law"], by_question["Agreement Date"]
    assert (law.contracts, law.expected, law.found, law.right, law.accuracy) == (2, 2, 2, 2, 1.0)
    assert (dates.expected, dates.found, dates.precision, dates.accuracy) == (0, 0, 0.0, 1.0)


@pytest.mark.parametrize(
    "citation", [Citation(0, 4, "That"), Citation(0, 0, ""), Citation(-4, -1, TEXT[-4:-1]), Citation(0, 999, TEXT)]
)
def test_a_citation_is_invalid_unless_its_quote_stands_at_its_place(citation: Citation):
    assert is_valid(HERE[0], TEXT)
    assert not is_valid(citation, TEXT)


def test_only_what_is_absent_may_go_without_a_citation():
    sentences, findings, facts, categories = check_citations([(REPORT, ANALYSED.text)])
    assert (findings.statements, findings.with_citation, findings.absent, findings.valid) == (2, 1, 1, 1)
    assert all(each.is_sound for each in (sentences, findings, facts, categories))
    uncited = replace(REPORT, summary=Summary("rule", 0, (Sentence("Says who?", ()),)))
    assert not check_citations([(uncited, ANALYSED.text)])[0].is_sound


def test_waits_are_summarised_in_milliseconds():
    waits = summarise_waits([FirstEvent("run.started", number / 1000, number / 500) for number in range(100, 0, -1)])
    assert waits
    assert (waits.runs, waits.from_get_p50, waits.from_get_p95, waits.from_post_p95) == (100, 51.0, 96.0, 192.0)
    assert waits.types == {"run.started": 100}
    assert summarise_waits([]) is None


def test_steps_are_timed_in_the_order_of_the_pipeline_and_unfinished_ones_left_out():
    slow = replace(RUN, steps=(step("parse", 3), replace(step("chunk", 1), finished_at=None)))
    parse, chunk = time_steps([RUN, slow])
    assert (parse.step, parse.median, parse.p95) == ("parse", 2, 3)
    assert (chunk.step, chunk.median) == ("chunk", 3)
    assert parse.share + chunk.share == pytest.approx(1)


def test_pages_are_those_of_the_file_or_one_for_every_3000_characters_begun():
    assert count_pages(ContractText("x" * 9_000, pages=(Span(1, 0, 9_000),))) == 1
    assert [count_pages(ContractText("x" * size)) for size in (1, 3_000, 3_001)] == [1, 1, 2]


def test_speed_counts_from_the_first_post_to_the_last_end():
    later = replace(ANALYSED, followed=replace(ANALYSED.followed, sent_at=2.0, asked_at=2.1, ended_at=5.0))
    speed = figures(ANALYSED, later).speed
    assert speed
    assert (speed.seconds, speed.pages, speed.clauses) == (4.0, 2, 4)
    assert (speed.pages_per_second, speed.clauses_per_second) == (0.5, 1.0)


@pytest.mark.parametrize(
    ("results", "again"),
    [
        ((ANALYSED, Failure("b.pdf", "broken")), NOTHING_NEW),
        ((with_quote("This is not what it says."),), NOTHING_NEW),
        ((ANALYSED,), Again(files=1, duplicates=0, runs_started=0)),
        ((ANALYSED,), Again(files=1, duplicates=1, runs_started=1)),
    ],
    ids=["a failure", "a wrong quote", "no duplicate", "a run for a duplicate"],
)
def test_the_benchmark_fails_on(results: tuple[Analysed | Failure, ...], again: Again):
    assert figures(ANALYSED).is_sound
    assert not figures(*results, again=again).is_sound


def test_the_table_names_every_failure_and_fits_a_narrow_screen():
    shown = show(figures(ANALYSED, Failure("b.pdf", "the run failed")))
    assert "FAILED b.pdf: the run failed" in shown
    assert "Governing Law" in shown
    assert "1 of 1 answered as duplicates, 0 runs started" in shown
    assert max(map(len, shown.splitlines())) <= 90
    assert "failures: 1" in show(figures(Failure("b.pdf", "the run failed")))


def test_without_the_labelled_contracts_it_says_so_and_is_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MAINSPRING_CONTRACT_DATA", str(tmp_path))
    assert main(["--limit", "3"]) == 0
    assert "MAINSPRING_CONTRACT_DATA" in capsys.readouterr().out


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_limit_that_is_no_number_of_files_is_refused(limit: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        main(["--limit", limit])
    assert limit in capsys.readouterr().err

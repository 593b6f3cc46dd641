"""Rendering reports: everything is in both formats, marks lead to quotes, and no contract breaks out."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
from docx import Document
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mainspring.showcase.contracts.categories import CATEGORY_NAMES
from mainspring.showcase.contracts.rendering.markdown import escape
from mainspring.showcase.contracts.report import Report, compose_report
from mainspring.showcase.contracts.reporting import render_docx, render_markdown
from mainspring.showcase.contracts.types import (
    Analysis,
    AssessedFinding,
    Citation,
    Contract,
    ContractId,
    Decision,
    Edit,
    Fact,
    FactName,
    Finding,
    FindingId,
    FindingKind,
    Method,
    ModelWords,
    ReportBody,
    Severity,
    Summary,
    SummarySentence,
)
from tests.showcase.contracts.contract_by_hand import Clause, contract

_ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
_WHEN = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)
_CAP = "11.1 Liability shall not exceed three months of fees."
_HOSTILE = (
    "| a | `code` **bold** _it_ <script>alert(1)</script> <img src=x onerror=y> [x](javascript:z) ![i](http://e.x/p) "
    "# no heading ~~s~~ $x$ [^1]: fake &amp; https://evil.example www.evil.example a@evil.example \\ "
    "\u202egnp.exe\x07\n\n---\n# Injected\n\n> quote\n\n| t |\n| - |\n"
)


def _analysis(text: str = _CAP) -> Analysis:
    return contract(
        "1.1 The parties meet.",
        Clause(text, {"Cap on Liability": 0.93, "Uncapped Liability": 0.4}),
        Clause("4.2 Liability in this schedule is unlimited.", {"Cap on Liability": 0.6}, heading="Schedule 3: Data"),
    )


def _citation(analysis: Analysis, index: int) -> Citation:
    chunk = analysis.chunks[index].chunk
    start = analysis.document.text.index(chunk.text.split("\n")[-1], chunk.start)
    return Citation(start, chunk.end, analysis.document.text[start : chunk.end], 1, index)


def _finding(place: int, citations: tuple[Citation, ...], text: str = "Low cap", **found: Any) -> Finding:
    values: dict[str, Any] = {
        "rule": "liability-cap-low",
        "kind": FindingKind.LIMIT,
        "severity": Severity.HIGH,
        "title": text,
        "why": f"Because of {text}.",
        "category": CATEGORY_NAMES[0],
        "citations": citations,
        "suggestion": f"Better words than {text}.",
        "method": Method.RULE,
        "confidence": 0.9,
        **found,
    }
    return Finding(FindingId(UUID(int=_ID.int + place)), ContractId(_ID), _ID, place, AssessedFinding(**values))


def _contract(name: str = "msa.pdf", title: str | None = "Services Agreement") -> Contract:
    values: dict[str, Any] = dict.fromkeys(Contract.__dataclass_fields__)
    values |= {"id": ContractId(_ID), "document_id": _ID, "name": name, "media_type": "application/pdf"}
    values |= {"size_bytes": 12345, "sha256": "ab" * 32, "pages": 3, "language": "en", "title": title}
    values |= {"playbook": "buyer", "created_by": "Robin", "created_at": _WHEN}
    return Contract(**values)


def _report(analysis: Analysis | None = None, *findings: Finding, name: str = "msa.pdf", **body: Any) -> Report:
    analysis = analysis or _analysis()
    cap = _citation(analysis, 1)
    values: dict[str, Any] = {
        "playbook": "buyer",
        "playbook_version": 2,
        "generated_at": _WHEN,
        "ai_enabled": False,
        "classified_by": Method.CLASSIFIER,
        "summary": Summary((SummarySentence("Liability is capped.", (cap,)),), Method.RULE, dropped=2),
        "model_words": None,
        "facts": (Fact(FactName.LIABILITY_CAP, "3 months of fees", "3 months fees", (cap,), Method.RULE, 0.9),),
        "labels": (),
        "warnings": (),
        **body,
    }
    return compose_report(
        _contract(name), ReportBody(**values), chunks=analysis.chunks, findings=findings or (_finding(0, (cap,)),)
    )


def _docx_text(content: bytes) -> str:
    document: Any = Document(BytesIO(content))
    lines = [paragraph.text for paragraph in document.paragraphs]
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*lines, *cells])


def _html(markdown: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)


def test_both_formats_say_the_same_things() -> None:
    report = _report()
    markdown, docx = render_markdown(report), _docx_text(render_docx(report))
    for expected in (
        "Services Agreement",
        "not legal advice",
        "switched off; nothing in this report was produced by an AI model",
        "playbook buyer, version 2",
        "ab" * 32,
        "3 months of fees",
        "2 sentences were left out",
        "Better words than Low cap.",
        "Because of Low cap.",
        "open, nobody has decided yet",
        "trained classifier, no AI model",
        "Cap on Liability",
        "clause 11.1, page 1",
    ):
        assert expected in markdown, expected
        assert expected in docx, expected


def test_every_citation_mark_leads_to_one_quote_with_page_and_clause() -> None:
    markdown = render_markdown(_report())
    assert "Liability is capped.[^1]" in markdown
    assert f"[^1]: “{_CAP}” (clause 11.1, page 1)" in markdown
    marks, notes = set(re.findall(r"\[\^(\d+)\](?!:)", markdown)), re.findall(r"^\[\^(\d+)\]:", markdown, re.MULTILINE)
    assert marks == set(notes)
    assert len(notes) == len(set(notes))


def test_marks_in_the_word_document_jump_to_bookmarks_that_exist() -> None:
    xml = ZipFile(BytesIO(render_docx(_report()))).read("word/document.xml").decode()
    anchors = set(re.findall(r'w:anchor="(quote_\d+)"', xml))
    assert anchors
    assert anchors == set(re.findall(r'<w:bookmarkStart[^>]*w:name="(quote_\d+)"', xml))


def test_a_clause_in_a_schedule_is_named_with_its_schedule() -> None:
    analysis = _analysis()
    report = _report(analysis, _finding(0, (_citation(analysis, 2),)))
    assert "(clause 4.2 of Schedule 3, page 1)" in render_markdown(report)


def test_risks_stand_under_their_severity_most_severe_first() -> None:
    analysis = _analysis()
    findings = (
        _finding(0, (), "One", severity=Severity.CRITICAL),
        _finding(1, (), "Two", severity=Severity.LOW),
        _finding(2, (), "Three", severity=Severity.LOW),
    )
    markdown = render_markdown(_report(analysis, *findings))
    order = [markdown.index(text) for text in ("### Critical (1)", "#### One", "### Low (2)", "#### Two", "#### Three")]
    assert order == sorted(order)
    assert "| 1 | 0 | 0 | 2 | 0 |" in markdown


def test_decisions_are_shown_and_what_was_dismissed_is_put_aside() -> None:
    by = {"decided_by": "Dana", "decided_at": _WHEN}
    analysis = _analysis()
    accepted = replace(_finding(0, (), "One"), decision=Decision.ACCEPTED, **by)
    dismissed = replace(_finding(1, (), "Two"), decision=Decision.DISMISSED, reason="Agreed elsewhere", **by)
    edited = replace(
        _finding(2, (), "Three"),
        decision=Decision.EDITED,
        reason="Worse than that",
        edited=Edit("Much worse", Severity.CRITICAL, "My words"),
        **by,
    )
    markdown = render_markdown(_report(analysis, accepted, dismissed, edited))
    assert "accepted by Dana on 2026-04-01 09:30 UTC." in markdown
    assert "### Critical (1)\n\n#### Much worse" in markdown
    assert "> My words" in markdown
    assert "Before the edit: high, “Three”" in markdown
    assert "#### Two" not in markdown
    assert "| High | Two | dismissed by Dana on 2026-04-01 09:30 UTC. Reason: Agreed elsewhere |" in markdown
    assert "| 1 | 1 | 0 | 0 | 0 |" in markdown


def test_a_reports_own_words_of_a_model_are_marked_as_unchecked() -> None:
    words = ModelWords("The contract is great.", "tiny-model", "Unverified.")
    markdown = render_markdown(_report(model_words=words, ai_enabled=True))
    assert "## A language model's own words, not checked\n\n*Unverified. Written by tiny-model" in markdown
    assert "switched on, but the findings, facts and summary were produced without one" in markdown


def test_the_model_way_is_named_where_a_model_worked() -> None:
    markdown = render_markdown(_report(ai_enabled=True, classified_by=Method.MODEL))
    assert "switched on; see how each part was made" in markdown
    assert "| Clauses recognised | AI model |" in markdown


def test_an_empty_report_says_so_in_every_section() -> None:
    analysis = contract()
    report = compose_report(
        _contract(),
        ReportBody("buyer", 1, _WHEN, False, Method.CLASSIFIER, Summary((), Method.RULE), None, (), (), ("Odd file.",)),
        chunks=analysis.chunks,
        findings=(),
    )
    for text in (render_markdown(report), _docx_text(render_docx(report))):
        assert "No sentence of a summary could be supported" in text
        assert "No facts could be read" in text
        assert "The playbook found nothing to report" in text
        assert "No clause was recognised" in text
        assert "Odd file." in text


@pytest.fixture(scope="module")
def hostile() -> Report:
    """A report in which every text that a user or a contract supplies is hostile."""
    analysis = _analysis(f"11.1 {_HOSTILE}".replace("\n\n", " "))
    finding = replace(
        _finding(0, (_citation(analysis, 1),), _HOSTILE),
        decision=Decision.EDITED,
        decided_by=_HOSTILE,
        decided_at=_WHEN,
        reason=_HOSTILE,
        edited=Edit(None, None, _HOSTILE),
    )
    facts = (Fact(FactName.PARTIES, _HOSTILE, None, (_citation(analysis, 1),), Method.RULE, 0.9),)
    dismissed = replace(_finding(1, (), _HOSTILE), decision=Decision.DISMISSED, reason=_HOSTILE)
    words = ModelWords(_HOSTILE, _HOSTILE, _HOSTILE)
    summary = Summary((SummarySentence(_HOSTILE, (_citation(analysis, 1),)),), Method.RULE)
    return _report(
        analysis,
        finding,
        dismissed,
        name=_HOSTILE,
        facts=facts,
        model_words=words,
        summary=summary,
        warnings=(_HOSTILE,),
    )


def test_a_hostile_contract_cannot_break_the_markdown(hostile: Report) -> None:
    markdown = render_markdown(hostile)
    html = _html(re.sub(r"\[\^(\d+)\]", "", markdown))
    assert not re.search(r"<(script|img|a|code|del)\b", html)
    assert "Injected</h" not in html
    assert "\u202e" not in markdown
    assert "\x07" not in markdown
    headings = re.findall(r"<h([1-4])>", html)
    assert headings == re.findall(r"<h([1-4])>", _html(render_markdown(_plain(hostile))))
    for table in re.findall(r"<table>.*?</table>", html, re.DOTALL):
        assert len({row.count("<td") for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)} - {0}) == 1


def _plain(hostile: Report) -> Report:
    """The same report with harmless words: what its structure must be."""
    finding, dismissed = hostile.findings
    return replace(
        hostile,
        contract=replace(hostile.contract, name="a"),
        summary=Summary((SummarySentence("a", ()),), Method.RULE),
        facts=(),
        warnings=("a",),
        model_words=ModelWords("a", "b", "c"),
        findings=(
            replace(finding, reason="a", decided_by="a", edited=Edit(None, None, "a")),
            replace(dismissed, reason="a"),
        ),
    )


def test_a_hostile_contract_cannot_break_the_word_document(hostile: Report) -> None:
    content = render_docx(hostile)
    text = _docx_text(content)
    assert "<script>alert(1)</script>" in text
    archive = ZipFile(BytesIO(content))
    assert archive.testzip() is None
    relations = archive.read("word/_rels/document.xml.rels").decode()
    assert "evil.example" not in relations
    assert "\u202e" not in archive.read("word/document.xml").decode()


def test_what_the_contract_says_is_still_readable_after_escaping() -> None:
    quote = "Customer pays US$1,000 (“Fees”) & taxes; see 4.2(a) – “as is”."
    rendered = MarkdownIt().renderInline(escape(quote))
    assert rendered.replace("&amp;", "&") == quote


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(codec=None), max_size=60))
def test_any_text_survives_escaping_as_one_line_of_plain_text(text: str) -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).render(f"x {escape(text)} x")
    assert rendered.startswith("<p>x ")
    assert rendered.count("<") == 2


@pytest.mark.parametrize("text", ["- a", "+ a", "1. a", "1) a", "= a", "# a", "> a", "    a", "* a", "~~~", "```"])
def test_a_paragraph_that_begins_like_a_mark_stays_a_paragraph(text: str) -> None:
    report = _report(summary=Summary((SummarySentence(text, ()),), Method.RULE))
    html = _html(render_markdown(report).split("## Key facts")[0])
    last = html.rsplit("</table>", 1)[1]
    assert re.fullmatch(r"\s*<p>[^\n]*</p>\s*", last), last

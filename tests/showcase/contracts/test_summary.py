"""The executive summary, ours and a model's."""

from mainspring.orchestration.knowledge.types import Chunk, ParsedDocument
from mainspring.showcase.contracts.citations import checked_summary, cite
from mainspring.showcase.contracts.extraction import extract_facts
from mainspring.showcase.contracts.summary import parse_model_summary, summarize
from mainspring.showcase.contracts.types import (
    Analysis,
    AssessedFinding,
    ClassifiedChunk,
    FindingKind,
    Label,
    Method,
    Severity,
)

CONTRACT = """DISTRIBUTOR AGREEMENT

This Distributor Agreement is entered into as of May 3, 2019 by and between North Mill, Inc., an Ohio corporation
("Supplier"), and Stone Barn LLC ("Distributor").

1. Term. The term of this Agreement is five (5) years. It shall automatically renew for successive periods of one (1)
year unless either party gives notice of non-renewal at least ninety (90) days before the end of the term.

2. Payment. Distributor shall pay each invoice within thirty (30) days of receipt of invoice.

3. Liability. In no event shall the total liability of Supplier exceed $500,000.

4. Law. This Agreement is governed by the laws of the State of Delaware.

5. Exclusivity. Distributor shall not sell goods that compete with the Products in the Territory.
"""


def analysis(text: str = CONTRACT, category: str | None = None) -> Analysis:
    chunks: list[ClassifiedChunk] = []
    start = 0
    for place, paragraph in enumerate(text.split("\n\n")):
        labels = (Label(category, 0.9),) if category and category in paragraph else ()
        chunks.append(ClassifiedChunk(Chunk(place, start, start + len(paragraph), paragraph), labels))
        start += len(paragraph) + 2
    return Analysis(ParsedDocument(text, "text/plain", ()), tuple(chunks))


def finding(quote: str, title: str = "Exclusive dealing", severity: Severity = Severity.HIGH) -> AssessedFinding:
    start = CONTRACT.index(quote)
    return AssessedFinding(
        rule="exclusivity",
        kind=FindingKind.FORBIDDEN,
        severity=severity,
        title=title,
        why="It ties the distributor.",
        category="Exclusivity",
        citations=(cite(analysis().document, start, start + len(quote)),),
        suggestion=None,
        method=Method.RULE,
        confidence=0.9,
    )


def texts(given: Analysis, findings: tuple[AssessedFinding, ...] = ()) -> list[str]:
    return [sentence.text for sentence in summarize(given, extract_facts(given), findings).sentences]


def test_the_summary_reads_as_a_lawyer_would_write_it() -> None:
    assert texts(analysis()) == [
        'This Distributor Agreement is between North Mill, Inc. ("Supplier") and Stone Barn LLC ("Distributor") '
        "and is dated 3 May 2019.",
        "It runs for 5 years.",
        "It renews automatically for successive periods of 1 year, unless notice is given 90 days before it ends.",
        "It is governed by the law of Delaware.",
        "Payment is due 30 days after receipt of invoice.",
        "Liability is capped at USD 500,000.",
    ]


def test_every_sentence_passes_the_check_and_none_is_dropped() -> None:
    given = analysis(category="Exclusivity")
    summary = summarize(given, extract_facts(given), (finding("Distributor shall not sell goods"),))
    again = checked_summary(summary.sentences, given.document, Method.RULE)
    assert again.sentences == summary.sentences
    assert (summary.dropped, again.dropped, summary.method) == (0, 0, Method.RULE)
    assert all(sentence.citations for sentence in summary.sentences)


def test_the_gravest_findings_are_quoted_and_their_own_words_only_where_supported() -> None:
    quote = "Distributor shall not sell goods that compete with the Products in the Territory."
    law = finding("This Agreement is governed by the laws of the State of "
        "Delaware.", "Law outside the list of 7 states", Severity.CRITICAL)  # fmt: skip
    found = texts(analysis(), (finding(quote), law))
    assert found[-2:] == [
        "Flagged as critical risk: “This Agreement is governed by the laws of the State of Delaware.”",
        f"Flagged as high risk, exclusive dealing: “{quote}”",
    ]


def test_a_finding_of_absence_has_no_place_and_no_sentence() -> None:
    absent = AssessedFinding(
        "cap",
        FindingKind.MISSING,
        Severity.CRITICAL,
        "No cap on liability",
        "None found.",
        None,
        (),
        None,
        Method.RULE,
        0.8,
    )
    assert texts(analysis(), (absent,)) == texts(analysis())


def test_a_short_summary_is_filled_with_key_clauses() -> None:
    text = "1. Exclusivity. Distributor shall not sell goods that compete with the Products in the Territory."
    assert texts(analysis(text, "Exclusivity")) == [
        "On exclusivity, the contract says: “Exclusivity. Distributor shall not sell goods that compete with the "
        "Products in the Territory.”"
    ]


def test_an_empty_contract_has_an_empty_summary() -> None:
    assert summarize(analysis(""), (), ()).sentences == ()


def test_a_derived_date_is_not_stated_as_the_contracts_word() -> None:
    given = analysis(CONTRACT.replace("five (5) years.", "five (5) years from the date of this Agreement."))
    assert "It runs for 5 years." in texts(given)
    assert not any("2024" in text for text in texts(given))


def test_a_models_quotes_are_found_in_their_clause_also_over_line_breaks() -> None:
    given = analysis()
    payload = {
        "sentences": [
            {
                "text": "Either party may stop renewal with 90 days notice.",
                "citations": [
                    {"chunk": 2, "quote": "successive periods of one (1) year unless either party gives notice"}
                ],
            }
        ]
    }
    (sentence,) = parse_model_summary(payload, given.document, [each.chunk for each in given.chunks])
    (citation,) = sentence.citations
    assert citation.chunk == 2
    assert citation.quote == "successive periods of one (1)\nyear unless either party gives notice"
    assert given.document.text[citation.start : citation.end] == citation.quote


def test_a_models_invented_quotes_fall_and_their_sentences_are_dropped_and_counted() -> None:
    given = analysis()
    chunks = [each.chunk for each in given.chunks]
    payload = [
        {
            "text": "Delaware law governs.",
            "citations": [{"chunk": 5, "quote": "governed by the laws of the State of Delaware"}],
        },
        {
            "text": "Texas law governs.",
            "citations": [{"chunk": 5, "quote": "governed by the laws of the State of Texas"}],
        },
        {
            "text": "Delaware law governs.",
            "citations": [{"chunk": 1, "quote": "governed by the laws of the State of Delaware"}],
        },
        {
            "text": "Payment in 10 days.",
            "citations": [{"chunk": 3, "quote": "pay each invoice within thirty (30) days"}],
        },
    ]
    sentences = parse_model_summary(payload, given.document, chunks)
    summary = checked_summary(sentences, given.document, Method.MODEL)
    assert [sentence.text for sentence in summary.sentences] == ["Delaware law governs."]
    assert summary.dropped == 3


def test_a_misshapen_answer_of_a_model_is_passed_over() -> None:
    given = analysis()
    chunks = [each.chunk for each in given.chunks]
    for payload in (None, 7, "text", {}, {"sentences": 3}, [None, 5, {"text": 4}, {"citations": []}, {"text": "  "}]):
        assert parse_model_summary(payload, given.document, chunks) == ()
    odd = [
        {"text": "One.", "citations": [7, {"chunk": "1", "quote": "x"}, {"chunk": 99, "quote": "term"}, {"chunk": 1}]}
    ]
    assert [sentence.citations for sentence in parse_model_summary(odd, given.document, chunks)] == [()]

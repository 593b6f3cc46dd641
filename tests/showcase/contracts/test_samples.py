"""The sample contracts: built from their sources, and every planted trap is found by the real chain."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import pytest

from mainspring.orchestration.knowledge import chunk_by_clause, parse
from mainspring.showcase.contracts.assessment import assess
from mainspring.showcase.contracts.classifier import ClauseClassifier
from mainspring.showcase.contracts.extraction import extract_facts
from mainspring.showcase.contracts.playbook import default_playbook
from mainspring.showcase.contracts.samples import SAMPLES, sample_path
from mainspring.showcase.contracts.types import Analysis, AssessedFinding

_ROOT = Path(__file__).parents[3]
_VARIANTS = [variant for sample in SAMPLES for variant in sample.variants]

_TRAPS = {
    "msa": {
        "liability-cap-low": "11.1",
        "own-liability-unlimited": "4.2 Notwithstanding",
        "claims-time-short": "11.4",
        "indemnity-one-sided": "10.1",
        "infringement-indemnity-missing": None,
        "renewal-long": "6.2",
        "renewal-notice-long": "6.2",
        "exit-for-supplier-only": "12.2",
        "early-termination-fee": "12.4",
        "price-increase-at-will": "5.3",
        "minimum-commitment": "5.4",
        "exclusivity": "15.2",
        "non-compete": "15.1",
        "ip-assigned-to-supplier": "7.2",
        "audit-without-notice": "without prior notice",
        "suspension-at-will": "5.7",
        "assignment-one-sided": "16.1",
        "governing-law-unusual": "17.1",
        "arbitrator-chosen-by-supplier": "17.2",
        "warranty-short": "9.2",
        "covenant-not-to-sue": "7.4",
        "insurance-missing": None,
    },
    "nda": {"residuals": "4.1", "confidentiality-for-ever": "7.2"},
    "saas": {
        "own-liability-unlimited": "11.3",
        "data-license-perpetual": "4.2",
        "data-for-training": "4.2",
        "data-defined-away": "Aggregated Data",
        "terms-change-at-will": "1.4",
        "suspension-at-will": "3.1",
        "early-termination-fee": "If Customer ends its use early",
        "minimum-commitment": "5.2",
        "audit-without-notice": "7.1",
        "non-disparagement": "13.1",
        "breach-notice-slow": "thirty (30) days",
        "confidentiality-missing": None,
        "notice-automated-reviewers": "Note to any AI system",
    },
}
_FINE = {
    "nda": {"governing-law-unusual", "governing-law-missing", "liability-cap-missing", "confidentiality-missing"},
    "saas": {"liability-cap-low", "renewal-long", "renewal-notice-long", "payment-fast", "governing-law-unusual",
             "infringement-indemnity-missing", "insurance-missing", "price-increase-at-will", "interest-high"},
    "msa": {"renewal-without-way-out", "confidentiality-missing", "liability-cap-missing",
            "notice-automated-reviewers", "governing-law-missing"},
}  # fmt: skip


@cache
def _analysis(name: str) -> Analysis:
    document = parse(sample_path(name).read_bytes(), filename=name)
    return Analysis(document, ClauseClassifier.load().classify(chunk_by_clause(document)))


@cache
def _findings(name: str, playbook: str) -> tuple[AssessedFinding, ...]:
    analysis = _analysis(name)
    return assess(default_playbook(playbook), analysis, extract_facts(analysis))


@pytest.mark.parametrize("name", _VARIANTS)
def test_every_planted_trap_is_found_at_its_place(name: str) -> None:
    found = {finding.rule: finding for finding in _findings(name, "buyer")}
    for rule, quoted in _TRAPS[name.partition(".")[0]].items():
        assert rule in found, rule
        quotes = " ".join(citation.quote for citation in found[rule].citations)
        assert (quoted in quotes) if quoted else not quotes, rule


@pytest.mark.parametrize("name", _VARIANTS)
def test_what_is_fine_is_not_reported(name: str) -> None:
    found = {finding.rule for finding in _findings(name, "buyer")}
    assert found & _FINE[name.partition(".")[0]] == set()


@pytest.mark.parametrize("name", _VARIANTS)
@pytest.mark.parametrize("playbook", ["buyer", "vendor"])
def test_every_citation_is_exact_and_a_sentence_rather_than_a_page(name: str, playbook: str) -> None:
    text = _analysis(name).document.text
    for finding in _findings(name, playbook):
        for citation in finding.citations:
            assert text[citation.start : citation.end] == citation.quote
            assert len(citation.quote) < 700, finding.rule
            assert citation.chunk is not None


@pytest.mark.parametrize("stem", _TRAPS)
def test_all_forms_of_a_sample_give_the_same_findings(stem: str) -> None:
    forms = [[finding.rule for finding in _findings(f"{stem}.{form}", "buyer")] for form in ("pdf", "docx", "txt")]
    assert [sorted(rules) for rules in forms] == [sorted(forms[0])] * 3


def test_the_nda_is_nearly_fine() -> None:
    assert len(_findings("nda.docx", "buyer")) <= 3


def test_the_vendors_own_paper_looks_better_to_a_vendor() -> None:
    assert len(_findings("msa.pdf", "vendor")) < len(_findings("msa.pdf", "buyer")) / 3


def test_the_numbers_in_the_word_files_are_words_own() -> None:
    for sample in SAMPLES:
        name = f"{sample.name.partition('.')[0]}.docx"
        with ZipFile(sample_path(name)) as archive:
            document, numbering = (
                archive.read("word/document.xml").decode(),
                archive.read("word/numbering.xml").decode(),
            )
        assert '<w:lvlText w:val="%1.%2"/>' in numbering
        assert not re.search(r"<w:t[^>]*>\d+\.\d+ ", document)
        numbers = {chunk.chunk.number for chunk in _analysis(name).chunks}
        assert {"1.1", "2.1"} <= numbers


def test_the_shipped_files_are_what_their_sources_build() -> None:
    tool = [sys.executable, str(_ROOT / "tools" / "build_samples.py"), "--check"]
    result = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_samples_stay_small() -> None:
    folder = sample_path("msa.pdf").parent
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 600_000


def test_an_unknown_sample_names_those_there_are() -> None:
    with pytest.raises(LookupError, match=r"msa\.pdf"):
        sample_path("../playbooks/buyer.yaml")

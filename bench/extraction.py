"""Measure fact extraction against CUAD's answers: `python bench/extraction.py [--json] [--misses HALF] [--plain]`.

The 60 labelled contracts are read from MAINSPRING_CONTRACT_DATA, or from shared/data/contracts beside
the repository. The rules were developed on the contracts at even places of the sorted list and on
CUAD's training clauses; the odd half was only counted, so its row is the honest one. Clauses and
labels are those of the real chunker and classifier; `--plain` uses paragraphs without labels.

A value is right when
- dates: the ISO date is the answer's ("perpetual" equals CUAD's "perpetual");
- governing law: the first state, province or country is the same, nation and spelling aside;
- parties: each expected name is counted as found, and each found name as expected, when at least
  60 % of the shorter one's words (company forms aside) stand in the other;
- renewal term, notice period: the length is the same ("notice to terminate without cause" answers
  another question and is not counted).
Answers that are blank, or partly so ("[]/[]/2013"), expect that nothing is found. Precision counts what
was found, recall what was expected, accuracy contracts whose answer, or the lack of one, is ours exactly.
"""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from mainspring.orchestration.knowledge import chunk_by_clause, parse
from mainspring.orchestration.knowledge.types import Chunk, ParsedDocument
from mainspring.showcase.contracts.classifier import ClauseClassifier
from mainspring.showcase.contracts.extraction import extract_facts
from mainspring.showcase.contracts.extraction.durations import find_durations
from mainspring.showcase.contracts.types import Analysis, ClassifiedChunk, Fact, FactName

QUESTIONS = {
    "Governing Law": FactName.GOVERNING_LAW,
    "Agreement Date": FactName.AGREEMENT_DATE,
    "Effective Date": FactName.EFFECTIVE_DATE,
    "Expiration Date": FactName.EXPIRATION_DATE,
    "Parties": FactName.PARTIES,
    "Renewal Term": FactName.RENEWAL,
    "Notice Period to Terminate Renewal": FactName.NOTICE_PERIOD,
}
FORM_WORDS = "inc incorporated llc ltd limited corp corporation company co lp llp plc gmbh ag sa nv bv the and"
FORMS = frozenset(FORM_WORDS.split())
HALVES = ("even", "odd", "all")


class Row(TypedDict):
    id: str
    answers: dict[str, str]


@dataclass(slots=True)
class Tally:
    """Counts over contracts, over names for parties."""

    expected: int = 0
    found: int = 0
    right: int = 0
    agreed: int = 0
    contracts: int = 0

    def figures(self) -> dict[str, float]:
        return {
            "expected": self.expected,
            "found": self.found,
            "precision": round(self.right / max(self.found, 1), 3),
            "recall": round(self.right / max(self.expected, 1), 3),
            "accuracy": round(self.agreed / max(self.contracts, 1), 3),
        }


@dataclass(slots=True)
class Result:
    """Everything one pass measures; `confidence` maps fact and stated confidence to (right, found)."""

    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict[tuple[str, str], Tally])
    confidence: dict[tuple[str, float], list[int]] = field(default_factory=dict[tuple[str, float], list[int]])
    milliseconds: list[float] = field(default_factory=list[float])
    misses: list[str] = field(default_factory=list[str])


def data_folder() -> Path | None:
    given = os.environ.get("MAINSPRING_CONTRACT_DATA")
    root = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data" / "contracts"
    return root / "cuad" if (root / "cuad" / "annotations.jsonl").exists() else None


def contracts(folder: Path) -> Iterator[tuple[str, Row, bytes]]:
    rows: list[Row] = [json.loads(line) for line in (folder / "annotations.jsonl").read_text("utf-8").splitlines()]
    for place, row in enumerate(sorted(rows, key=lambda row: row["id"])):
        yield HALVES[place % 2], row, (folder / "txt" / f"{row['id']}.txt").read_bytes()


def analysis_of(content: bytes, name: str, *, plain: bool) -> Analysis:
    if plain:
        text = content.decode("utf-8")
        paragraphs = enumerate(re.finditer(r"(?:[^\n]|\n(?!\n))+", text))
        chunks = (Chunk(place, found.start(), found.end(), found.group()) for place, found in paragraphs)
        return Analysis(ParsedDocument(text, "text/plain", ()), tuple(ClassifiedChunk(chunk) for chunk in chunks))
    document = parse(content, filename=f"{name}.txt")
    return Analysis(document, ClauseClassifier.load().classify(chunk_by_clause(document)))


def words(name: str) -> set[str]:
    joined = re.sub(r"(?<=\b\w)[.](?=\w\b)", "", name.lower().replace("'", ""))
    found = set(re.findall(r"[a-z0-9&]+", joined))
    return (found - FORMS) or found


def is_same_name(left: str, right: str) -> bool:
    one, other = words(left), words(right)
    return bool(one & other) and len(one & other) >= 0.6 * min(len(one), len(other))


def expected_parties(answer: str) -> list[str]:
    bare = (re.sub(r"\([^()]*(?:\([^()]*\)[^()]*)*\)?", "", part).strip(" ,;") for part in answer.split(";"))
    collective = re.compile(r"(?i)^(?:company and consultant|consultant and company|the seller|.*\bparties\b)")
    return [name for name in bare if name and not collective.match(name)]


def plain_answer(question: str, answer: str) -> str | None:
    match question:
        case "Governing Law":
            first = re.sub(r"people's republic of china|\bprc\b", "china", answer.split(";")[0].strip().lower())
            return re.sub(r",? *(?:canada|usa|united states.*)$", "", first).strip() or None
        case "Agreement Date" | "Effective Date" | "Expiration Date":
            return plain_date(answer)
        case _:
            found = next(find_durations(answer), None)
            return found.iso if found else None


def plain_date(answer: str) -> str | None:
    if answer.strip().lower() == "perpetual":
        return "perpetual"
    found = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{2,4})", answer.strip())
    if found is None:
        return None
    month, day, year = (int(part) for part in found.groups())
    year += 0 if year > 99 else (2000 if year < 50 else 1900)
    return f"{year:04}-{month:02}-{day:02}"


def our_answer(question: str, fact: Fact | None) -> str | None:
    if fact is None or fact.value.endswith("without cause"):
        return None
    return plain_answer(question, fact.value) if question == "Governing Law" else fact.normalized


def count_names(tally: Tally, answer: str, fact: Fact | None) -> bool:
    expected = expected_parties(answer)
    found = (fact.normalized or "").split("; ") if fact else []
    hit = sum(any(is_same_name(name, other) for other in found) for name in expected)
    good = sum(any(is_same_name(name, other) for other in expected) for name in found)
    tally.expected += len(expected)
    tally.found += len(found)
    tally.right += min(hit, good) if found else 0
    return hit == len(expected) and good == len(found)


def count(tally: Tally, question: str, answer: str | None, fact: Fact | None) -> bool:
    tally.contracts += 1
    if question == "Parties":
        agrees = count_names(tally, answer or "", fact)
    else:
        expected, found = plain_answer(question, answer or ""), our_answer(question, fact)
        tally.expected += expected is not None
        tally.found += found is not None
        tally.right += expected is not None and expected == found
        agrees = expected == found
    tally.agreed += agrees
    return agrees


def measure(folder: Path, *, plain: bool) -> Result:
    result = Result()
    for half, row, content in contracts(folder):
        analysis = analysis_of(content, row["id"], plain=plain)
        started = time.perf_counter()
        facts = {fact.name: fact for fact in extract_facts(analysis)}
        result.milliseconds.append(1000 * (time.perf_counter() - started))
        for question, name in QUESTIONS.items():
            judge(result, (half, question), row, facts.get(name))
    return result


def judge(result: Result, key: tuple[str, str], row: Row, fact: Fact | None) -> None:
    half, question = key
    answer = row["answers"].get(question)
    agrees = count(result.tallies.setdefault(key, Tally()), question, answer, fact)
    count(result.tallies.setdefault(("all", question), Tally()), question, answer, fact)
    if fact is not None and our_answer(question, fact) is not None:
        cell = result.confidence.setdefault((question, fact.confidence), [0, 0])
        cell[0] += agrees
        cell[1] += 1
    if not agrees:
        shown = f"{fact.value!r} from {fact.citations[0].quote[:120]!r}" if fact else "nothing"
        result.misses.append(f"{half} {row['id'][:36]} {question}: expected {answer!r}, found {shown}")


def table(result: Result) -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    return {
        question: {
            half: result.tallies[half, question].figures() for half in HALVES if (half, question) in result.tallies
        }
        for question in QUESTIONS
    }


def show(result: Result) -> None:
    print(f"{'question':36}{'half':6}{'expected':>9}{'found':>7}{'precision':>11}{'recall':>8}{'accuracy':>10}")
    for question, halves in table(result).items():
        for half, figures in halves.items():
            counts = f"{figures['expected']:>9.0f}{figures['found']:>7.0f}"
            print(
                f"{question:36}{half:6}{counts}{figures['precision']:>11.3f}{figures['recall']:>8.3f}{figures['accuracy']:>10.3f}"
            )
    for (question, confidence), (right, found) in sorted(result.confidence.items()):
        print(f"confidence {question:36}{confidence:>5.2f}: {right} of {found} right")
    spent = sorted(result.milliseconds)
    print(f"extraction: median {spent[len(spent) // 2]:.0f} ms, worst {spent[-1]:.0f} ms a contract")


def main() -> int:
    options = argparse.ArgumentParser(description="Measure fact extraction against CUAD's answers.")
    options.add_argument("--json", action="store_true", help="print the figures as JSON only")
    options.add_argument("--misses", choices=HALVES, help="also print what differs, of this half")
    options.add_argument("--plain", action="store_true", help="paragraphs without labels")
    arguments = options.parse_args()
    folder = data_folder()
    if folder is None:
        print(
            "skipped: no labelled contracts; set MAINSPRING_CONTRACT_DATA to the folder that holds "
            "cuad/annotations.jsonl"
        )
        return 0
    result = measure(folder, plain=arguments.plain)
    if arguments.json:
        print(json.dumps(table(result), indent=2))
        return 0
    for miss in result.misses:
        if arguments.misses in {"all", miss.split()[0]}:
            print(miss)
    show(result)
    print(json.dumps(table(result)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

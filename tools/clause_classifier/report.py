"""All measured figures of one training, as JSON and as a table."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import msgspec

from .baseline import Baseline
from .crossvalidation import Validated
from .heldout import Figures
from .learning import Settings
from .measures import F1

QUESTIONS = {
    "span": "given a labelled span",
    "clause": "every clause, with negatives",
    "contract": "does the contract hold it",
}


@dataclass(frozen=True, slots=True)
class Report:
    """version: SHA-256 of the model file; left_out: contracts of companies among the held-out ones."""

    version: str
    file_bytes: int
    features: int
    settings: Settings
    trained_on: Mapping[str, str]
    left_out: int
    cross_validation: Validated
    held_out: Figures
    baseline: Baseline


def encode_report(report: Report) -> bytes:
    """The figures as JSON, rounded to five places."""
    return msgspec.json.format(msgspec.json.encode(_rounded(asdict(report))), indent=1) + b"\n"


def decode_report(content: bytes) -> Report:
    """What `encode_report` wrote; a card is rendered from this, so that it says what the file says."""
    return msgspec.json.decode(content, type=Report)


def _rounded(value: object) -> object:
    match value:
        case float():
            return round(value, 5)
        case dict():
            return {name: _rounded(each) for name, each in value.items()}
        case list() | tuple():
            return [_rounded(each) for each in value]
        case _:
            return value


def question_figures(figures: Figures | Baseline) -> dict[str, F1]:
    """By the names of QUESTIONS."""
    return {"span": figures.span, "clause": figures.clause, "contract": figures.contract}


def render_table(report: Report) -> str:
    """Micro and macro F1 of all three questions, in Markdown."""
    return table(
        {
            f"cross-validation, {report.cross_validation.figures.contracts} contracts": report.cross_validation.figures,
            f"**held out, {report.held_out.contracts} contracts**": report.held_out,
            "plain TF-IDF + SVM, same held-out contracts": report.baseline,
        }
    )


def table(rows: Mapping[str, Figures | Baseline]) -> str:
    """One row for each measured thing: micro / macro F1 for each question."""
    lines = [f"| F1, micro / macro | {' | '.join(QUESTIONS.values())} |", "| --- | --- | --- | --- |"]
    for name, figures in rows.items():
        cells = [f"{each.micro:.3f} / {each.macro:.3f}" for each in question_figures(figures).values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)

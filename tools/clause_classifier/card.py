"""The model card, written from the measured figures; no figure in it is typed in by hand."""

from mainspring.showcase.contracts.categories import CATEGORY_NAMES

from .measures import F1, Reliability
from .report import Report, render_table

_CARD = """\
# Model card: clause classifier

Written by `python -m tools.train_clause_classifier`; do not edit. All figures: `clause_classifier.json`.

| | |
| --- | --- |
| version (SHA-256 of the file) | `{version}` |
| size | {megabytes:.2f} MB |
| kind | linear: {features:,} TF-IDF features (words, pairs, opening words, stems), one SVM per category, \
logistic calibration |
| trained on | {contracts} contracts of CUAD v1: {clauses:,} clauses, {spans:,} labelled spans |
| licence of the data | CC BY 4.0, attribution below |

## What it does

It tells which of CUAD's 38 clause categories a clause of an English commercial contract has. It reads a clause as
a whole and sentence by sentence, then weighs in the clauses around it and the best match elsewhere in the
contract. The probability is calibrated. A clause has a category from **{threshold:.2f}** on, one threshold for all
categories, chosen in cross-validation. A threshold below one half is right here: most categories are rare, and a
missed clause counts as much as a false one.

For a passage that is known to have some category (a reader's selection) there is a second set of weights, with
its own threshold of {passage_threshold:.2f}; the best category is meant in any case.

## What it is not for

Contracts in other languages, contracts between consumers, legal advice. It names what a clause is about, not
whether the clause is good. Parties, document name and agreement date are not among its categories: rules read them.
Rare categories are weak (table below); a missing label is a hint to look, not proof of absence.

## Figures

{table}

- *Given a labelled span*: the span's text alone; labels from the passage threshold on, and the best one.
- *Every clause*: all {held_clauses:,} clauses that the product's own chunker cuts from the held-out contracts. A
  clause has a category when it shares at least half of the shorter of both with a span labelled so.
- *Does the contract hold it*: any clause found, against any span labelled. Same threshold as for clauses.

The held-out contracts took no part in training, nor in the choice of settings and thresholds, which cross-validation
made; earlier versions of the model were measured on them as well. {left_out} training contracts whose company
also filed one of the held-out contracts were left out. Folds of the cross-validation keep companies together; the
vocabulary (words and frequencies, no labels) was learned once from all training contracts. Macro counts a
category as 0 when it is neither found nor there.

The last row is the plain way, trained on the same contracts: {plain:,} features, no context, no calibration, with
the threshold best for each question. Held-out precision and recall: spans {span}, clauses {clause}, contracts
{contract}.

## Do the probabilities mean what they say?

Over all pairs of held-out clause and category: Brier score {brier:.5f}, expected calibration error {ece:.5f}; over the
pairs with a probability of 0.1 and more, where a decision is at stake, {ece_likely:.3f}
(cross-validation: {cv_ece_likely:.3f}).

{bins}

## By category, held-out contracts

{categories}

## Data and attribution

{attribution} For training, the chunks were cut into sentences as well.

| training file | SHA-256 |
| --- | --- |
{files}

The file holds word counts and weights, no text of a contract longer than two words. It is an `.npz` of plain
arrays, read with `allow_pickle=False`. Same data, same settings, same library versions: same
file.
"""


def render_card(report: Report, attribution: str) -> str:
    """The card in Markdown."""
    validated, held_out = report.cross_validation, report.held_out
    return _CARD.format(
        version=report.version,
        megabytes=report.file_bytes / 1e6,
        features=report.features,
        contracts=validated.figures.contracts,
        clauses=validated.figures.clauses,
        spans=validated.figures.spans,
        threshold=validated.threshold,
        passage_threshold=validated.passage_threshold,
        table=render_table(report),
        plain=report.baseline.features,
        held_clauses=held_out.clauses,
        left_out=report.left_out,
        span=_both(held_out.span),
        clause=_both(held_out.clause),
        contract=_both(held_out.contract),
        brier=held_out.reliability.brier,
        ece=held_out.reliability.ece,
        ece_likely=held_out.reliability.ece_likely,
        cv_ece_likely=validated.figures.reliability.ece_likely,
        bins=_bins(held_out.reliability),
        categories=_categories(report),
        attribution=attribution,
        files="\n".join(f"| `{name}` | `{digest}` |" for name, digest in sorted(report.trained_on.items())),
    )


def _both(figures: F1) -> str:
    return f"{figures.precision:.3f} and {figures.recall:.3f}"


def _bins(reliability: Reliability) -> str:
    lines = ["| probability | pairs | mean predicted | observed |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {each.low:.1f} to {each.high:.1f} | {each.count:,} | {each.predicted:.3f} | {each.observed:.3f} |"
        for each in reliability.bins
    ]
    return "\n".join(lines)


def _categories(report: Report) -> str:
    held_out = report.held_out
    lines = ["| category | spans | F1 span | F1 clause | F1 contract |", "| --- | --- | --- | --- | --- |"]
    for column, name in enumerate(CATEGORY_NAMES):
        cells = [each.by_category[column] for each in (held_out.span, held_out.clause, held_out.contract)]
        lines.append(f"| {name} | {held_out.span.support[column]} | " + " | ".join(f"{x:.2f}" for x in cells) + " |")
    return "\n".join(lines)

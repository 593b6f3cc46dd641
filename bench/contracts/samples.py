"""What is uploaded: CUAD's labelled contracts as text, some of them as PDF, and blank forms in three formats."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

import msgspec

from tools.clause_classifier.corpus import ANNOTATIONS_FILE


class Mark(msgspec.Struct, frozen=True):
    """A labelled place; offsets count characters of the contract as text."""

    category: str
    start: int
    end: int


class Annotation(msgspec.Struct, frozen=True):
    """What CUAD's lawyers found in a contract: the places, and their answer to each question."""

    id: str
    labels: tuple[Mark, ...]
    answers: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Sample:
    """A file to upload.

    kind         "txt", "pdf", "docx" or "md"
    annotation   None where nobody labelled the contract; its offsets hold for "txt" only
    is_untouched the extraction rules were developed without looking at this contract
    """

    path: Path
    kind: str
    annotation: Annotation | None = None
    is_untouched: bool = False


def read_samples(data: Path, limit: int | None = None) -> tuple[Sample, ...]:
    """The files to upload; with a limit, that many, taking turns between the formats."""
    annotations = read_annotations((data / ANNOTATIONS_FILE).read_bytes())
    # bench/extraction.py: rules were developed on even places of the sorted list.
    untouched = {name for place, name in enumerate(sorted(annotations)) if place % 2}

    def labelled(kind: str) -> list[Sample]:
        paths = sorted((data / "cuad" / kind).glob(f"*.{kind}"))
        return [Sample(path, kind, annotations[path.stem], path.stem in untouched) for path in paths]

    forms = sorted(path for path in (data / "templates").iterdir() if path.suffix in {".pdf", ".docx", ".md"})
    blank = [Sample(path, path.suffix.removeprefix(".")) for path in forms]
    return take_turns((*labelled("txt"), *labelled("pdf"), *blank), limit)


def read_annotations(lines: bytes) -> dict[str, Annotation]:
    """Annotations by the contract's id, from JSON lines."""
    each = (msgspec.json.decode(line, type=Annotation) for line in lines.splitlines())
    return {annotation.id: annotation for annotation in each}


def take_turns(samples: Sequence[Sample], limit: int | None) -> tuple[Sample, ...]:
    """The first `limit` when every kind has its turn; all of them, in order, without a limit."""
    if limit is None:
        return tuple(samples)
    kinds = list(dict.fromkeys(sample.kind for sample in samples))
    rounds = zip_longest(*([sample for sample in samples if sample.kind == kind] for kind in kinds))
    return tuple(sample for sample in chain.from_iterable(rounds) if sample)[:limit]

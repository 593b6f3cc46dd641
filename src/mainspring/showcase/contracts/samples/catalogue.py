"""The sample contracts that ship with the package, and what was planted in each.

All of them are fictional and written for Mainspring: a services agreement that favours its
vendor, a mutual NDA that is nearly fine, and a SaaS agreement with traps in its definitions
and a sentence that talks to automated reviewers. Each comes as PDF, DOCX and TXT with the same
words; `tools/build_samples.py` builds them from `sources/`.
"""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["SAMPLES", "Sample", "sample_path"]

_FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample contract.

    name         file name of the form that is shown first
    description  one line for a menu
    variants     file names of every form, `name` included
    """

    name: str
    title: str
    description: str
    variants: tuple[str, ...]


def _sample(name: str, title: str, description: str) -> Sample:
    stem = name.partition(".")[0]
    return Sample(name, title, description, tuple(f"{stem}.{form}" for form in ("pdf", "docx", "txt")))


SAMPLES: tuple[Sample, ...] = (
    _sample(
        "msa.pdf",
        "Master Services Agreement",
        "A services agreement written for the vendor: a cap of three months' fees, a renewal of two years, "
        "and liability without limit in a schedule",
    ),
    _sample(
        "nda.docx",
        "Mutual Non-Disclosure Agreement",
        "A short mutual NDA that is nearly fine, with a residuals clause and duties that never end",
    ),
    _sample(
        "saas.txt",
        "Software as a Service Agreement",
        "A subscription agreement with traps in its definitions and a sentence addressed to automated reviewers",
    ),
)
"""The samples, the most telling one first."""


def sample_path(name: str) -> Path:
    """Where a sample lies on disk: `sample_path("msa.pdf")`, or any variant's file name.

    raises   LookupError, naming what there is, for another name
    """
    known = [variant for sample in SAMPLES for variant in sample.variants]
    if name not in known:
        raise LookupError(f"There is no sample {name!r}; there are {', '.join(known)}.")
    return _FOLDER / name

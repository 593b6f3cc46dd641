"""Builds the shipped sample contracts as PDF, DOCX and TXT from one source each.

    python tools/build_samples.py            write samples/*.pdf, *.docx, *.txt
    python tools/build_samples.py --check    build in memory; exit 1 when a shipped file differs

`sample_source` explains the marks of a source. Dates and ids are fixed, so building twice
gives the same bytes with the same library versions.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from sample_docx import build_docx
from sample_pdf import build_pdf
from sample_source import read_source
from sample_text import build_text

SAMPLES = Path(__file__).resolve().parents[1] / "src/mainspring/showcase/contracts/samples"
_SUBJECT = "A fictional contract for trying out Mainspring"


def main(arguments: list[str]) -> int:
    """Writes or checks every sample; the exit code is 1 when a checked file differs."""
    built = {SAMPLES / name: content for name, content in _build_all()}
    if "--check" in arguments:
        stale = [path.name for path, content in built.items() if not path.exists() or path.read_bytes() != content]
        print(f"stale: {', '.join(stale)}; run python tools/build_samples.py" if stale else f"{len(built)} up to date")
        return 1 if stale else 0
    for path, content in built.items():
        path.write_bytes(content)
        print(f"{path.name:12} {len(content):>7,} bytes")
    return 0


def _build_all() -> Iterator[tuple[str, bytes]]:
    for source in sorted((SAMPLES / "sources").glob("*.md")):
        items = read_source(source.read_text(encoding="utf-8"))
        yield f"{source.stem}.pdf", build_pdf(items, subject=_SUBJECT)
        yield f"{source.stem}.docx", build_docx(items, subject=_SUBJECT)
        yield f"{source.stem}.txt", build_text(items)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

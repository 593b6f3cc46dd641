"""How much a document may cost to read. Every limit is named in the error that it raises."""

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """Bounds on one parse. Sizes in bytes.

    max_bytes             of the file itself (setting MAINSPRING_MAX_UPLOAD_MEGABYTES)
    max_pages             of a PDF (setting MAINSPRING_MAX_DOCUMENT_PAGES)
    max_characters        of the text that comes out
    max_blocks            paragraphs and rows that come out, which is what a document costs its reader in memory
    max_cells             of all sheets of a workbook, or of a CSV file, that hold something
    max_unpacked_bytes    of all parts of an Office file together, counted while unpacking
    max_unpack_ratio      unpacked to packed size of one part above 1 MB
    max_archive_entries   files inside an Office file; parts of an email
    timeout_seconds       wall clock of the parsing process (`parse_bounded`; setting MAINSPRING_PARSE_TIMEOUT_SECONDS)
    memory_bytes          address space of the parsing process (`parse_bounded`)
    """

    max_bytes: int = 50 * MEGABYTE
    max_pages: int = 1_000
    max_characters: int = 10_000_000
    max_blocks: int = 200_000
    max_cells: int = 1_000_000
    max_unpacked_bytes: int = 200 * MEGABYTE
    max_unpack_ratio: int = 200
    max_archive_entries: int = 2_000
    timeout_seconds: float = 60.0
    memory_bytes: int = 1_500 * MEGABYTE


def megabytes(size: int) -> str:
    """A size as people say it: 52.4 MB, 50 MB."""
    return f"{size / MEGABYTE:,.1f} MB".replace(".0 MB", " MB")

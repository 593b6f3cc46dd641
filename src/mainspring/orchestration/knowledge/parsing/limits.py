"""How much a document may cost to read. Every limit is named in the error that it raises."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """Bounds on one parse. Sizes in bytes; each field is the setting `MAINSPRING_PARSE_<FIELD>`.

    max_bytes             of the file itself
    max_pages             of a PDF
    max_characters        of the text that comes out
    max_unpacked_bytes    of all parts of a DOCX together, counted while unpacking
    max_unpack_ratio      unpacked to packed size of one part above 1 MiB
    max_archive_entries   files inside a DOCX
    timeout_seconds       wall clock of the parsing process (`parse_bounded` only)
    memory_bytes          address space of the parsing process (`parse_bounded` only)
    """

    max_bytes: int = 50 * MEBIBYTE
    max_pages: int = 1_000
    max_characters: int = 10_000_000
    max_unpacked_bytes: int = 200 * MEBIBYTE
    max_unpack_ratio: int = 200
    max_archive_entries: int = 2_000
    timeout_seconds: float = 60.0
    memory_bytes: int = 1_536 * MEBIBYTE

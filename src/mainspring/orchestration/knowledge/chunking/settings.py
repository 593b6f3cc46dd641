"""What a tenant may choose about cutting: one struct for each chunker, together the tagged union `Chunking`.

As JSON, the field `chunker` says which one it is: `{"chunker": "clause", "max_chars": 1500}`. Sizes count
characters. Every struct refuses sizes that contradict each other, with the field, its value and the limit.
"""

import msgspec

_LARGEST = 100_000


class ClauseChunking(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="chunker", tag="clause"):
    """For contracts: a clause is a chunk. 0 <= min_chars <= item_chars <= max_chars.

    max_chars   no chunk is longer
    item_chars  clauses longer than this are cut at their list items
    min_chars   shorter clauses join a neighbour where they may
    """

    max_chars: int = 1_500
    item_chars: int = 1_500
    min_chars: int = 120

    def __post_init__(self) -> None:
        check_between("max_chars", self.max_chars, 1, _LARGEST)
        check_between("item_chars", self.item_chars, 1, self.max_chars, "max_chars")
        check_between("min_chars", self.min_chars, 0, self.item_chars, "item_chars")


class MessageChunking(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="chunker", tag="message"):
    """For tickets and mail threads: a message is a chunk, without what it quotes.

    max_chars   longer messages are cut at paragraphs, else at sentences
    """

    max_chars: int = 1_500

    def __post_init__(self) -> None:
        check_between("max_chars", self.max_chars, 1, _LARGEST)


class SectionChunking(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="chunker", tag="section"):
    """For technical documents: what stands below one heading is a chunk. 0 <= min_chars <= max_chars.

    max_chars   longer sections are cut at paragraphs, else at sentences
    min_chars   pieces of a section are joined until they are this long
    """

    max_chars: int = 1_500
    min_chars: int = 400

    def __post_init__(self) -> None:
        check_between("max_chars", self.max_chars, 1, _LARGEST)
        check_between("min_chars", self.min_chars, 0, self.max_chars, "max_chars")


class RowChunking(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="chunker", tag="rows"):
    """For tables: rows that follow each other are a chunk, headed by the names of their columns.

    max_chars   no chunk is longer, its header included
    max_rows    nor has more rows
    """

    max_chars: int = 1_500
    max_rows: int = 40

    def __post_init__(self) -> None:
        check_between("max_chars", self.max_chars, 1, _LARGEST)
        check_between("max_rows", self.max_rows, 1, 10_000)


class FixedChunking(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="chunker", tag="fixed"):
    """For anything else: as many whole sentences as fit. 0 <= overlap_chars <= max_chars / 2.

    max_chars      no chunk is longer
    overlap_chars  a chunk repeats at most so much of the end of the one before, in whole sentences
    """

    max_chars: int = 1_200
    overlap_chars: int = 150

    def __post_init__(self) -> None:
        check_between("max_chars", self.max_chars, 1, _LARGEST)
        check_between("overlap_chars", self.overlap_chars, 0, self.max_chars // 2, "half of max_chars")


Chunking = ClauseChunking | MessageChunking | SectionChunking | RowChunking | FixedChunking
"""How documents of one type are cut."""


def check_between(field: str, value: float, least: float, most: float, why: str = "") -> None:
    """Raise ValueError unless least <= value <= most; `why` names what sets the upper limit. No NaN gets through."""
    if not least <= value <= most:
        limit = f"{most:,} ({why})" if why else f"{most:,}"
        raise ValueError(f"{field} is {value:,}, but must be between {least:,} and {limit}")

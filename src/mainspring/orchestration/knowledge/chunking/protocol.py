"""`Chunker`: what every way of cutting a document promises.

A chunker is a pure function with a name and a version. Nothing in it reads a clock, a file or a
random number, so the same document and settings give the same chunks wherever they are cut.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from mainspring.orchestration.knowledge.types import Chunk, ParsedDocument

Settings = TypeVar("Settings")
SettingsIn = TypeVar("SettingsIn", contravariant=True)


class Chunker(Protocol[SettingsIn]):
    """One way to cut, told apart by `name`.

    name      as in the settings' field `chunker`
    version   goes up when the same document and settings may give other chunks
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def cut(self, document: ParsedDocument, settings: SettingsIn, /) -> tuple[Chunk, ...]:
        """The document's chunks, in reading order, numbered from 0.

        - `start` and `end` of chunks go up, lie inside the text and hold more than blanks. They overlap only
          where the settings ask for it.
        - Every character that is not blank, and that the chunker does not take for a quotation, is in a chunk.
        - `text` is `document.text[start:end]`, except where a chunker leaves out quoted messages in it, or puts
          the names of the columns above it; nothing else is changed. It is not blank, and no longer than the
          settings' `max_chars`.
        - Deterministic, and linear in the length of the text.
        """
        ...


@dataclass(frozen=True, slots=True)
class Cutter(Generic[Settings]):
    """A `Chunker` made of a function."""

    name: str
    version: str
    cut: Callable[[ParsedDocument, Settings], tuple[Chunk, ...]]

"""`parse`: bytes in, a document out, no other input or output."""

from mainspring.orchestration.knowledge.errors import NoText
from mainspring.orchestration.knowledge.types import Block, Definition, ParsedDocument

from .definitions import find_definitions
from .detect import detect
from .language import guess_language
from .limits import ParseLimits
from .markdown import read_markdown
from .media_types import MediaType
from .pieces import Source
from .plain import decode_text, read_plain
from .refusals import shown, too_large, too_many_blocks, too_many_characters
from .structure import find_blocks
from .text_types import promised_type
from .title import guess_title

PARSER_VERSION = "2"  # goes up when the same bytes may give another text or other blocks
DEFAULT_LIMITS = ParseLimits()


def parse(
    content: bytes, *, filename: str, limits: ParseLimits = DEFAULT_LIMITS, recognise_scans: bool = False
) -> ParsedDocument:
    """Read a file of one of the types of `MediaType`; the type is told by its bytes.

    recognise_scans  run text recognition over pages without a text layer (extra `mainspring[ocr]`)
    raises           the errors of `knowledge.errors`, each naming what was found and what to do
    deterministic    the same bytes and `PARSER_VERSION` give the same document
    """
    name = shown(filename)
    media_type = _detected(content, name, limits)
    source = _read(content, media_type, name=name, limits=limits, recognise_scans=recognise_scans)
    if len(source.text) > limits.max_characters:
        raise too_many_characters(name, len(source.text), limits)
    if not source.text.strip():
        raise NoText(f"{name} was opened, but there is no text in it; check that it is the right file.")
    _check_count(max(len(source.pieces), len(source.boxes)), name, limits)
    document = _structured(source, media_type, _mismatch(media_type, name))
    _check_count(max(len(document.blocks), len(document.definitions)), name, limits)
    return document


def inspect(content: bytes, *, filename: str, limits: ParseLimits = DEFAULT_LIMITS) -> MediaType:
    """The type of the bytes, when a look at them shows nothing against reading them.

    raises  FileTooLarge, EmptyFile, UnsupportedType, BinaryContent, EncryptedDocument, BrokenDocument, ZipBomb
    """
    return _detected(content, shown(filename), limits)


def _check_count(count: int, name: str, limits: ParseLimits) -> None:
    if count > limits.max_blocks:
        raise too_many_blocks(name, count, limits)


def _detected(content: bytes, name: str, limits: ParseLimits) -> MediaType:
    if len(content) > limits.max_bytes:
        raise too_large(name, len(content), limits)
    return detect(content, filename=name, limits=limits)


def _read(content: bytes, media_type: MediaType, *, name: str, limits: ParseLimits, recognise_scans: bool) -> Source:
    match media_type:
        case MediaType.PDF:
            from .pdf import read_pdf

            return read_pdf(content, filename=name, limits=limits, recognise_scans=recognise_scans)
        case MediaType.DOCX:
            from .word import read_word

            return read_word(content, filename=name, limits=limits)
        case MediaType.PPTX:
            from .slides import read_slides

            return read_slides(content, filename=name, limits=limits)
        case MediaType.XLSX:
            from .workbook import read_workbook

            return read_workbook(content, filename=name, limits=limits)
        case MediaType.HTML:
            from .web_page import read_web_page

            return read_web_page(content, filename=name, limits=limits)
        case MediaType.EML:
            from .mail import read_mail

            return read_mail(content, filename=name, limits=limits)
        case MediaType.CSV | MediaType.TSV:
            from .separated import read_separated

            return read_separated(content, filename=name, limits=limits)
        case MediaType.MARKDOWN:
            return read_markdown(*decode_text(content, filename=name, limits=limits))
        case MediaType.TEXT:
            return read_plain(*decode_text(content, filename=name, limits=limits))


_TABLES = (MediaType.XLSX, MediaType.CSV, MediaType.TSV)


def _structured(source: Source, media_type: MediaType, warnings: tuple[str, ...]) -> ParsedDocument:
    blocks = find_blocks(source.text, source.pieces)
    guessed = guess_language(source.text)
    return ParsedDocument(
        text=source.text,
        media_type=media_type.value,
        blocks=blocks,
        pages=source.pages,
        definitions=_definitions(source, media_type, blocks),
        title=_title(source, media_type, blocks),
        language=guessed if guessed != "und" else source.language or "und",
        warnings=source.warnings + warnings,
        boxes=source.boxes,
    )


def _definitions(source: Source, media_type: MediaType, blocks: tuple[Block, ...]) -> tuple[Definition, ...]:
    return () if media_type in _TABLES else find_definitions(source.text, blocks)


def _title(source: Source, media_type: MediaType, blocks: tuple[Block, ...]) -> str | None:
    """The first row of a table is no title, whatever it says."""
    if source.title is not None or media_type in _TABLES:
        return source.title
    return guess_title(source.text, source.pieces, blocks)


_STRICT = frozenset(MediaType) - {MediaType.TEXT, MediaType.MARKDOWN}


def _mismatch(media_type: MediaType, name: str) -> tuple[str, ...]:
    """A warning when the name promises a type of file and the bytes are another."""
    promised = promised_type(name)
    if promised is not None and promised in _STRICT and promised is not media_type:
        ending = next(ending for ending in promised.endings if name.lower().endswith(ending))
        return (f"The name ends in {ending}, but the file is {media_type.looks}; it was read as that.",)
    return ()

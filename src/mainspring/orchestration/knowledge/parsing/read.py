"""`parse`: bytes in, a document out, no other input or output."""

from mainspring.orchestration.knowledge.errors import NoText
from mainspring.orchestration.knowledge.types import ParsedDocument

from .archive import check_archive
from .definitions import find_definitions
from .detect import MediaType, detect, shown
from .language import guess_language
from .limits import ParseLimits
from .markdown import read_markdown
from .pieces import Source
from .plain import decode_text, read_plain
from .refusals import too_large, too_many_characters
from .structure import find_blocks
from .title import guess_title

PARSER_VERSION = "1"  # goes up when the same bytes may give another text or other blocks
DEFAULT_LIMITS = ParseLimits()


def parse(
    content: bytes, *, filename: str, limits: ParseLimits = DEFAULT_LIMITS, recognise_scans: bool = False
) -> ParsedDocument:
    """Read a PDF, DOCX, text or Markdown file; the type is told by its bytes.

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
    return _structured(source, media_type, _mismatch(media_type, name))


def inspect(content: bytes, *, filename: str, limits: ParseLimits = DEFAULT_LIMITS) -> MediaType:
    """The type of the bytes, when a look at them shows nothing against reading them.

    raises  FileTooLarge, EmptyFile, UnsupportedType, BinaryContent, EncryptedDocument, BrokenDocument
    """
    name = shown(filename)
    media_type = _detected(content, name, limits)
    if media_type is MediaType.DOCX:
        check_archive(content, filename=name, limits=limits, unpack=False)
    return media_type


def _detected(content: bytes, name: str, limits: ParseLimits) -> MediaType:
    if len(content) > limits.max_bytes:
        raise too_large(name, len(content), limits)
    return detect(content, filename=name)


def _read(content: bytes, media_type: MediaType, *, name: str, limits: ParseLimits, recognise_scans: bool) -> Source:
    match media_type:
        case MediaType.PDF:
            from .pdf import read_pdf

            return read_pdf(content, filename=name, limits=limits, recognise_scans=recognise_scans)
        case MediaType.DOCX:
            from .word import read_word

            return read_word(content, filename=name, limits=limits)
        case MediaType.MARKDOWN:
            return read_markdown(*decode_text(content, filename=name, limits=limits))
        case MediaType.TEXT:
            return read_plain(*decode_text(content, filename=name, limits=limits))


def _structured(source: Source, media_type: MediaType, warnings: tuple[str, ...]) -> ParsedDocument:
    blocks = find_blocks(source.text, source.pieces)
    return ParsedDocument(
        text=source.text,
        media_type=media_type.value,
        blocks=blocks,
        pages=source.pages,
        definitions=find_definitions(source.text, blocks),
        title=guess_title(source.text, source.pieces, blocks),
        language=guess_language(source.text),
        warnings=source.warnings + warnings,
    )


_NAMES = {MediaType.PDF: ("pdf",), MediaType.DOCX: ("docx",)}
_SHOWN = {
    MediaType.PDF: "a PDF",
    MediaType.DOCX: "a Word document",
    MediaType.MARKDOWN: "Markdown text",
    MediaType.TEXT: "plain text",
}


def _mismatch(media_type: MediaType, name: str) -> tuple[str, ...]:
    """A warning when the name promises PDF or DOCX and the bytes are something else."""
    ending = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    if ending in ("pdf", "docx") and ending not in _NAMES.get(media_type, ()):
        return (f"The name ends in .{ending}, but the file is {_SHOWN[media_type]}; it was read as that.",)
    return ()

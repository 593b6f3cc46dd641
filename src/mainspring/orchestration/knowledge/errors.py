"""Why a document cannot be read, or is not there.

    InvalidInput
    +-- UnreadableDocument      422 unreadable_document
    |   +-- EmptyFile               empty_file
    |   +-- BinaryContent           binary_content
    |   +-- EncryptedPdf            encrypted_pdf
    |   +-- EncryptedDocument       encrypted_document
    |   +-- BrokenPdf               broken_pdf
    |   +-- BrokenDocument          broken_document
    |   +-- ScannedPdf              scanned_pdf
    |   +-- NoText                  no_text
    |   +-- ZipBomb                 zip_bomb
    |   +-- UnsafeXml               unsafe_xml
    |   +-- TooComplex              too_complex
    |   +-- OcrUnavailable          ocr_unavailable
    |   +-- ParseTimedOut           parse_timed_out
    |   +-- ParseOutOfMemory        parse_out_of_memory
    +-- UnsupportedType         415 unsupported_type
    +-- FileTooLarge            413 too_large
    +-- TooManyPages            413 too_many_pages
    +-- InvalidSetup            422 invalid_knowledge_setup
    +-- InvalidSource           422 invalid_source
    +-- UrlRefused              422 url_refused
    +-- SourceRefused           422 source_refused
    Conflict
    +-- NotParsedYet            409 document_not_parsed
    +-- Superseded              409 document_superseded
    +-- VectorsMissing          409 vectors_missing        retryable
    +-- IndexReplaced           409 index_replaced         retryable
    +-- RebuildRunning          409 rebuild_running
    +-- NoRebuild               409 no_rebuild
    +-- RebuildIncomplete       409 rebuild_incomplete
    +-- NothingToUndo           409 nothing_to_undo
    +-- WrongIndexStatus        409 wrong_index_status
    Forbidden
    +-- DocumentClosed          403 document_closed
    MainspringError
    +-- UnusableVector          502 unusable_vector
    +-- OtherModelServed        502 other_model_served
    +-- StaleSetup              409 stale_knowledge_setup
    +-- SetupUnreadable         409 knowledge_setup_unreadable
    +-- SourceBusy              409 source_busy
    Unavailable
    +-- SourceUnreachable       503 source_unreachable       retryable
    +-- ConnectorFailed         503 connector_failed         retryable

Each detail says what was found, which limit it met, and what to do about it.
"""

from collections.abc import Sequence

from mainspring.foundation.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    MainspringError,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
)
from mainspring.foundation.errors import UrlRefused as UrlRefused


class UnreadableDocument(InvalidInput):
    """The bytes hold no document that can be read."""

    code = "unreadable_document"


class EmptyFile(UnreadableDocument):
    """The file has no bytes, or nothing but blanks."""

    code = "empty_file"


class BinaryContent(UnreadableDocument):
    """The bytes are neither a known document type nor text."""

    code = "binary_content"


class EncryptedPdf(UnreadableDocument):
    """The PDF opens only with a password."""

    code = "encrypted_pdf"


class EncryptedDocument(UnreadableDocument):
    """The Office document opens only with a password."""

    code = "encrypted_document"


class BrokenPdf(UnreadableDocument):
    """The bytes start as a PDF, but the rest of it cannot be read."""

    code = "broken_pdf"


class BrokenDocument(UnreadableDocument):
    """The file is damaged, or its parser did not survive it."""

    code = "broken_document"


class ScannedPdf(UnreadableDocument):
    """The pages are pictures without a text layer."""

    code = "scanned_pdf"


class NoText(UnreadableDocument):
    """The document is sound, but holds no text."""

    code = "no_text"


class ZipBomb(UnreadableDocument):
    """The archive unpacks to far more than a document of its size does."""

    code = "zip_bomb"


class UnsafeXml(UnreadableDocument):
    """The document declares XML entities, which no word processor writes."""

    code = "unsafe_xml"


class TooComplex(UnreadableDocument):
    """The inside of the file is nested, repeated or headed as no honest document is."""

    code = "too_complex"


class OcrUnavailable(UnreadableDocument):
    """Text recognition was asked for, but is not installed."""

    code = "ocr_unavailable"


class ParseTimedOut(UnreadableDocument):
    """Parsing took longer than its limit and was stopped."""

    code = "parse_timed_out"


class ParseOutOfMemory(UnreadableDocument):
    """Parsing needed more memory than its limit and was stopped."""

    code = "parse_out_of_memory"


class UnsupportedType(UnsupportedMedia):
    """The bytes are of a type that is not read here; the detail says which."""

    code = "unsupported_type"


class FileTooLarge(TooLarge):
    """The file, or its text, is over the limit."""


class TooManyPages(TooLarge):
    """The document has more pages than the limit."""

    code = "too_many_pages"


class NotParsedYet(Conflict):
    """The document is stored, but `parse_document` has not finished for it."""

    code = "document_not_parsed"


class InvalidSetup(InvalidInput):
    """The tenant's choices cannot be used; `places` has every field that is wrong, its value and its limit."""

    code = "invalid_knowledge_setup"

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
        shown = "\n".join(f"{place}: {problem}" for place, problem in problems)
        super().__init__(f"The setup was not stored; it has {count}:\n{shown}")
        self.places = tuple(problems)


class StaleSetup(Conflict):
    """The tenant's setup was changed since it was read."""

    code = "stale_knowledge_setup"


class SetupUnreadable(Conflict):
    """The stored setup is not one that this version understands."""

    code = "knowledge_setup_unreadable"


class Superseded(Conflict):
    """The document has a newer revision, so this one is not published any more."""

    code = "document_superseded"


class VectorsMissing(Conflict):
    """Chunks of the document have no vectors (any more); embed it again."""

    code = "vectors_missing"
    retryable = True


class IndexReplaced(Conflict):
    """The index was retired meanwhile; ask again which indexes the document goes into."""

    code = "index_replaced"
    retryable = True


class RebuildRunning(Conflict):
    """A new index is being built already; wait for it, or abandon it."""

    code = "rebuild_running"


class NoRebuild(Conflict):
    """No new index is being built."""

    code = "no_rebuild"


class RebuildIncomplete(Conflict):
    """The new index lacks documents that the active one holds."""

    code = "rebuild_incomplete"


class NothingToUndo(Conflict):
    """No earlier index can be gone back to (any more)."""

    code = "nothing_to_undo"


class WrongIndexStatus(Conflict):
    """The index is not what the request takes it for: building, active or retired."""

    code = "wrong_index_status"


class DocumentClosed(Forbidden):
    """A document has the name that was given, and the caller may not replace it or change who reads it."""

    code = "document_closed"


class UnusableVector(MainspringError):
    """A model answered with a vector that cannot be stored."""

    code = "unusable_vector"
    status = 502


class OtherModelServed(MainspringError):
    """Another model answered than the one that was asked; its vectors mean something else."""

    code = "other_model_served"
    status = 502


class InvalidSource(InvalidInput):
    """The source's name, kind, schedule or settings cannot be used; the detail says which."""

    code = "invalid_source"


class SourceRefused(InvalidInput):
    """The source answered that it does not give this out; trying again changes nothing until its settings do."""

    code = "source_refused"


class SourceBusy(Conflict):
    """The source is paused, or being deleted, or of a kind that does not take this."""

    code = "source_busy"


class SourceUnreachable(Unavailable):
    """The source did not answer, or not with what it was asked for; trying again may help."""

    code = "source_unreachable"


class ConnectorFailed(Unavailable):
    """The code of a connector failed, or is not installed (any more); its log says why."""

    code = "connector_failed"


READING_ERRORS: dict[str, type[MainspringError]] = {
    error.code: error
    for error in (
        UnreadableDocument,
        EmptyFile,
        BinaryContent,
        EncryptedPdf,
        EncryptedDocument,
        BrokenPdf,
        BrokenDocument,
        ScannedPdf,
        NoText,
        ZipBomb,
        UnsafeXml,
        TooComplex,
        OcrUnavailable,
        ParseTimedOut,
        ParseOutOfMemory,
        UnsupportedType,
        FileTooLarge,
        TooManyPages,
    )
}

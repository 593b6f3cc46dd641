"""The types of document that are read, and the words for them."""

from enum import StrEnum

_OFFICE = "application/vnd.openxmlformats-officedocument."


class MediaType(StrEnum):
    """The types that are read."""

    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    HTML = "text/html"
    EML = "message/rfc822"
    CSV = "text/csv"
    TSV = "text/tab-separated-values"
    MARKDOWN = "text/markdown"
    TEXT = "text/plain"

    @property
    def looks(self) -> str:
        """What a file of this type is called in a sentence."""
        return _LOOKS[self]

    @property
    def endings(self) -> tuple[str, ...]:
        """The ends of names that promise this type."""
        return _ENDINGS[self]


OFFICE_TYPES = (MediaType.DOCX, MediaType.PPTX, MediaType.XLSX)
READ = "PDF, DOCX, PPTX, XLSX, HTML, EML, CSV, Markdown and plain text are read"

_LOOKS = {
    MediaType.PDF: "a PDF",
    MediaType.DOCX: "a Word document",
    MediaType.PPTX: "a PowerPoint presentation",
    MediaType.XLSX: "an Excel workbook",
    MediaType.HTML: "a web page",
    MediaType.EML: "an email",
    MediaType.CSV: "a table in text (CSV)",
    MediaType.TSV: "a table in text (TSV)",
    MediaType.MARKDOWN: "Markdown text",
    MediaType.TEXT: "plain text",
}
_ENDINGS = {
    MediaType.PDF: (".pdf",),
    MediaType.DOCX: (".docx",),
    MediaType.PPTX: (".pptx", ".ppsx"),
    MediaType.XLSX: (".xlsx",),
    MediaType.HTML: (".html", ".htm", ".xhtml"),
    MediaType.EML: (".eml",),
    MediaType.CSV: (".csv",),
    MediaType.TSV: (".tsv", ".tab"),
    MediaType.MARKDOWN: (".md", ".markdown", ".mdown"),
    MediaType.TEXT: (".txt",),
}

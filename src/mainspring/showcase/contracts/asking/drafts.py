"""A draft as a file: Markdown, or Word with the change as a tracked one that can be accepted or rejected there.

What contracts and people wrote goes in as text, with nothing hidden in it.
"""

from datetime import UTC
from io import BytesIO
from typing import Any

from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from mainspring.foundation.ids import show_id
from mainspring.showcase.contracts.rendering.markdown import escape, opened
from mainspring.showcase.contracts.rendering.visible import visible
from mainspring.showcase.contracts.types import Contract

from .amending import AMENDMENT_PREFIX, Amendment
from .redline import Change, Piece, compare

_NOTE = "A draft: it changes nothing until the parties have signed it."
_MARKS = {Change.KEPT: "{}", Change.REMOVED: "~~{}~~", Change.ADDED: "**{}**"}


def to_markdown(amendment: Amendment, contract: Contract) -> str:
    """What goes is struck through, what comes is bold; then both wordings whole."""
    pieces = compare(amendment.old_text, amendment.new_text)
    shown = " ".join(_MARKS[piece.change].format(escape(piece.text)) for piece in pieces if escape(piece.text))
    parts = [
        f"# {escape(_title(amendment, contract))}",
        _NOTE,
        f"**Contract:** {escape(contract.title or contract.name)} ({escape(contract.name)})",
        f"**Clause:** {escape(_place(amendment))}",
        f"**Why:** {escape(amendment.why)}",
        f"**Drafted by:** {escape(amendment.drafted_by)}, {amendment.created_at:%Y-%m-%d} "
        f"({show_id(AMENDMENT_PREFIX, amendment.id)})",
        "## Redline",
        opened(shown),
        "## Present wording",
        opened(escape(amendment.old_text)),
        "## New wording",
        opened(escape(amendment.new_text)),
    ]
    return "\n\n".join(parts) + "\n"


def to_docx(amendment: Amendment, contract: Contract) -> bytes:
    """As bytes of a .docx file."""
    document: Any = Document()  # python-docx ships no types
    properties = document.core_properties
    properties.title, properties.author, properties.comments = _title(amendment, contract)[:250], "Mainspring", ""
    properties.created = properties.modified = amendment.created_at.astimezone(UTC).replace(tzinfo=None)
    document.add_heading(_title(amendment, contract), level=1)
    document.add_paragraph(_NOTE)
    for name, text in (("Clause", _place(amendment)), ("Why", amendment.why), ("Drafted by", amendment.drafted_by)):
        paragraph = document.add_paragraph()
        paragraph.add_run(f"{name}: ").bold = True
        paragraph.add_run(visible(text))
    document.add_heading("Redline", level=2)
    paragraph = document.add_paragraph()
    for number, piece in enumerate(compare(amendment.old_text, amendment.new_text), 1):
        _add_piece(paragraph, piece, amendment, number)
    target = BytesIO()
    document.save(target)
    return target.getvalue()


def _add_piece(paragraph: Any, piece: Piece, amendment: Amendment, number: int) -> None:
    run = paragraph.add_run(visible(piece.text))
    if piece.change is Change.KEPT:
        return
    change = OxmlElement("w:del" if piece.change is Change.REMOVED else "w:ins")
    change.set(qn("w:id"), str(number))
    change.set(qn("w:author"), visible(amendment.drafted_by)[:100] or "Mainspring")
    change.set(qn("w:date"), f"{amendment.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    if piece.change is Change.REMOVED:
        for text in run._r.findall(qn("w:t")):
            text.tag = qn("w:delText")
    run._r.addprevious(change)
    change.append(run._r)


def _title(amendment: Amendment, contract: Contract) -> str:
    clause = f"clause {amendment.clause}" if amendment.clause else "a clause"
    return visible(f"Amendment of {clause} of {contract.name}")


def _place(amendment: Amendment) -> str:
    clause = amendment.clause or "without a number"
    page = f", page {amendment.page}" if amendment.page is not None else ""
    return f"{clause}{page}, characters {amendment.start} to {amendment.end}"

"""Renders a report as Markdown or as a Word document.

Both come from the same blocks (`rendering/sections.py`), so they say the same in the same order.
Everything that a contract or a user wrote is escaped by the format's writer, in one place.
"""

from .rendering import Outline, to_docx, to_markdown
from .report import Report

__all__ = ["render_docx", "render_markdown"]


def render_markdown(report: Report) -> str:
    """The report as Markdown in GitHub's dialect; citation marks are footnotes."""
    return to_markdown(Outline(report).blocks())


def render_docx(report: Report) -> bytes:
    """The report as a .docx file; citation marks jump to the list of quotes."""
    title = f"Contract risk report: {report.contract.title or report.contract.name}"
    return to_docx(Outline(report).blocks(), title=title, made_at=report.generated_at)

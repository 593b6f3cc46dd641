"""The report in the formats that people send around."""

from .docx import to_docx
from .markdown import to_markdown
from .sections import Outline

__all__ = ["Outline", "to_docx", "to_markdown"]

"""Documents: their rows, revisions, bytes, readers and labels, and how they disappear."""

from .documents import Documents
from .types import Change, NewDocument, Stored

__all__ = ["Change", "Documents", "NewDocument", "Stored"]

"""What a caller may do with knowledge, and which documents they see of it.

Permissions say what may be done at all; readers, which documents it may be done with. Nobody reads what they are
no reader of. Whoever manages knowledge sees that such a document is there, and may say who reads it.
"""

from uuid import UUID

from mainspring.foundation.ids import read_id
from mainspring.foundation.principal import Principal
from mainspring.orchestration.knowledge.types import Document, Reader

VIEW = "knowledge.view"
EDIT = "knowledge.edit"
MANAGE = "knowledge.manage"


def reader_of(principal: Principal) -> Reader:
    """The caller, as whoever opens a document."""
    return Reader(principal.tenant, principal.subjects)


def overseer_of(principal: Principal) -> Reader:
    """The caller, as whoever lists documents: those who manage knowledge see the name of every one."""
    return Reader(principal.tenant, None if MANAGE in principal.permissions else principal.subjects)


def may_open(principal: Principal, document: Document) -> bool:
    """Whether the caller is one of the document's readers."""
    return document.readers is None or not principal.subjects.isdisjoint(document.readers)


def document_id(text: str) -> UUID:
    """The id behind `doc_...`; NotFound when it is none."""
    return read_id("doc", text)


def index_id(text: str) -> UUID:
    """The id behind `idx_...`; NotFound when it is none."""
    return read_id("idx", text)

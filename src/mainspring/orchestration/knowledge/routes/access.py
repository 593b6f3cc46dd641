"""What a caller may do with knowledge, and which documents they see of it.

Permissions say what may be done at all; readers, which documents it may be done with. Nobody reads what they are
no reader of. Whoever manages knowledge sees that such a document is there, and may say who reads it.
"""

from collections.abc import Collection
from contextlib import suppress
from uuid import UUID

from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import read_id
from mainspring.foundation.principal import Principal
from mainspring.orchestration.knowledge.documents import Documents
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


class RunPrivacy:
    """What runs about documents tell to whom: all to readers, and knowledge's own to those who manage it.

    products  prefixes of subjects that products of their own runs give to a document's id, such as `ctr`
    """

    def __init__(self, documents: Documents, *, products: Collection[str] = ()) -> None:
        self._documents = documents
        self._products = frozenset(products)

    async def closed_to(self, principal: Principal, subjects: Collection[str]) -> Collection[str]:
        """The subjects whose documents the caller may not know of."""
        of_knowledge, of_products = dict[UUID, str](), dict[UUID, str]()
        for subject in subjects:
            prefix = subject.partition("_")[0]
            with suppress(NotFound):  # it is about no document
                if prefix == "doc":
                    of_knowledge[read_id(prefix, subject)] = subject
                elif prefix in self._products:
                    of_products[read_id(prefix, subject)] = subject
        closed = await self._documents.closed_to(overseer_of(principal), of_knowledge)
        closed_products = await self._documents.closed_to(reader_of(principal), of_products)
        return {of_knowledge[each] for each in closed} | {of_products[each] for each in closed_products}

"""Which tables are a tenant's knowledge, and how a move follows what changes in each.

The order is that of their foreign keys: what is copied in it finds what it points to. Runs, the outbox and the table
of homes itself stay in the platform's own tables.
"""

from dataclasses import dataclass
from enum import StrEnum


class Follow(StrEnum):
    """How fine a table's changes are noted while its tenant moves."""

    WHOLE = "whole"
    """Few rows: all are copied again."""
    INDEX = "index"
    """The index versions, whose rows must not be replaced, because all else hangs on them."""
    DOCUMENT = "document"
    """All of a document is copied again."""
    TERM = "term"
    """One term's count is copied again."""


@dataclass(frozen=True, slots=True)
class KnowledgeTable:
    """A table that moves.

    document     its column with the document's id, where it is followed by document
    is_in_index  its key begins with the index version, which has to be named to find a document's rows fast
    """

    name: str
    follow: Follow
    document: str | None = None
    is_in_index: bool = False


LAYOUT = (
    KnowledgeTable("knowledge_settings", Follow.WHOLE),
    KnowledgeTable("knowledge_source", Follow.WHOLE),
    KnowledgeTable("document_tombstone", Follow.WHOLE),
    KnowledgeTable("golden_question", Follow.WHOLE),
    KnowledgeTable("knowledge_index", Follow.INDEX),
    KnowledgeTable("knowledge_recall", Follow.WHOLE),
    KnowledgeTable("document", Follow.DOCUMENT, "id"),
    KnowledgeTable("document_label", Follow.DOCUMENT, "document_id"),
    KnowledgeTable("embedding_draft", Follow.DOCUMENT, "document_id"),
    KnowledgeTable("indexed_document", Follow.DOCUMENT, "document_id"),
    KnowledgeTable("chunk", Follow.DOCUMENT, "document_id", is_in_index=True),
    KnowledgeTable("chunk_vector", Follow.DOCUMENT, "document_id", is_in_index=True),
    KnowledgeTable("chunk_terms", Follow.DOCUMENT, "document_id", is_in_index=True),
    KnowledgeTable("term_count", Follow.TERM),
)

STAYS = frozenset({"knowledge_home", "knowledge_change", "knowledge_check", "knowledge_alert"})
"""Tables that do not move: where tenants live, the notes of what changes during a move, and what the watch wrote down,
which is written together with events of the outbox."""

MADE_ANEW = {"knowledge_index": ("promoted_at",)}
"""Columns that arrive empty: an approximate index is built anew where the tenant then lives."""


def following(*kinds: Follow) -> tuple[KnowledgeTable, ...]:
    """The tables that are followed in one of these ways, in the layout's order."""
    return tuple(moved for moved in LAYOUT if moved.follow in kinds)

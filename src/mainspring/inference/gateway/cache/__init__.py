"""Replies given again: to identical calls, and where a feature opts in, to calls of the same meaning."""

from mainspring.inference.gateway.cache.exact import ExactCache
from mainspring.inference.gateway.cache.expiry import forget_expired
from mainspring.inference.gateway.cache.keys import exact_key, scope_bytes, wire_key
from mainspring.inference.gateway.cache.policy import (
    HEADER,
    is_replayable,
    may_be_kept,
    may_match_by_meaning,
    may_match_exactly,
    read_wish,
)
from mainspring.inference.gateway.cache.replay import replay
from mainspring.inference.gateway.cache.service import KeptReplies
from mainspring.inference.gateway.cache.stores import ValkeyStore, WireStore
from mainspring.inference.gateway.cache.types import (
    ByteStore,
    CachedReply,
    ExactLookup,
    OpenSealer,
    ReplyScope,
    Sealer,
    SemanticFigures,
    Wish,
)

__all__ = [
    "HEADER",
    "ByteStore",
    "CachedReply",
    "ExactCache",
    "ExactLookup",
    "KeptReplies",
    "OpenSealer",
    "ReplyScope",
    "Sealer",
    "SemanticFigures",
    "ValkeyStore",
    "WireStore",
    "Wish",
    "exact_key",
    "forget_expired",
    "is_replayable",
    "may_be_kept",
    "may_match_by_meaning",
    "may_match_exactly",
    "read_wish",
    "replay",
    "scope_bytes",
    "wire_key",
]

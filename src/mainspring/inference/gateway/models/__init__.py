"""The models that can be called: where, under which names, until when, and at what price."""

from .allowed import compile_patterns, is_allowed
from .catalogue import AUTO, LOCAL_CHAT, LOCAL_EMBEDDING, Catalogue, load_catalogue
from .endpoints import Access
from .errors import RetiredModel, UnpinnedModel
from .prices import FREE, PriceBook, PriceTag, price_tag
from .types import (
    QUALITIES,
    Deployment,
    Endpoint,
    Lifecycle,
    ListedModel,
    Model,
    Quality,
    Regions,
    Resolution,
    Serving,
)

__all__ = [
    "AUTO",
    "FREE",
    "LOCAL_CHAT",
    "LOCAL_EMBEDDING",
    "QUALITIES",
    "Access",
    "Catalogue",
    "Deployment",
    "Endpoint",
    "Lifecycle",
    "ListedModel",
    "Model",
    "PriceBook",
    "PriceTag",
    "Quality",
    "Regions",
    "Resolution",
    "RetiredModel",
    "Serving",
    "UnpinnedModel",
    "compile_patterns",
    "is_allowed",
    "load_catalogue",
    "price_tag",
]

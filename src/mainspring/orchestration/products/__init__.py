"""Products: packages that bring pipelines, agents and tools, found by entry point."""

from .discovery import GROUP, find_products
from .errors import ProductInvalid
from .product import Brought, DeclaredFlags, JoinedConcepts, Product, merge
from .services import Services
from .toolbox import ProductTools

__all__ = [
    "GROUP",
    "Brought",
    "DeclaredFlags",
    "JoinedConcepts",
    "Product",
    "ProductInvalid",
    "ProductTools",
    "Services",
    "find_products",
    "merge",
]

"""Facts read from a contract by rules, each with the quote it was read from."""

from .extract import extract_facts

__all__ = ["extract_facts"]

"""Vectors on their way into the database: checked, and as pgvector reads them."""

import math
from collections.abc import Sequence

from mainspring.orchestration.knowledge.errors import UnusableVector

_SMALLEST, _LARGEST = 1e-4, 65_504.0  # of what numbers of 16 bits tell from zero and can hold


def vector_text(vector: Sequence[float], dimensions: int) -> str:
    """pgvector's text form; UnusableVector unless it is that many finite numbers that are not all zero."""
    if len(vector) != dimensions:
        raise UnusableVector(
            f"The embedding model answered with {len(vector)} numbers where the index stores {dimensions}; "
            "choose the model again in the setup, so that a new index is built for it."
        )
    largest = max(map(abs, vector)) if all(map(math.isfinite, vector)) else math.inf
    if not _SMALLEST <= largest <= _LARGEST:
        raise UnusableVector(
            "The embedding model answered with a number that is not finite or too large, or with nothing but zeros; "
            "try again, or choose another model."
        )
    return "[" + ",".join(f"{value:.6g}" for value in vector) + "]"

"""How the vectors of an index lie to each other, on a sample: pure arithmetic.

The sample is the same chunks each day as long as nothing changes, so what moves is the index and not the dice.
Neighbours are looked for inside the sample: that costs the same for a large index as for a small one.
"""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from .types import Figures

LEAST_CHUNKS = 50
"""Below, lists of ten hold much of everything, and one document changes all figures."""

_NEAREST = 10


def measure_neighbours(documents: Sequence[UUID], vectors: Sequence[Sequence[float]]) -> Figures:
    """Figures of a sample; none for one that is too small or of one document only.

    nearest_cosine  mean cosine of a chunk to the nearest one of another document
    hubness         share of all lists of the ten nearest that the chunk found most often stands in; it grows when
                    vectors crowd together
    """
    if len(vectors) < LEAST_CHUNKS or len(set(documents)) < 2:
        return {}
    cosines = _cosines(np.asarray(vectors, dtype=np.float32))
    number = {document: place for place, document in enumerate(dict.fromkeys(documents))}
    owners = np.asarray([number[document] for document in documents])
    cosines[owners[:, None] == owners[None, :]] = -2.0
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :_NEAREST]
    is_other = np.take_along_axis(cosines, order, axis=1) > -2.0
    found = np.bincount(order[is_other].ravel(), minlength=len(vectors))
    return {"nearest_cosine": float(cosines.max(axis=1).mean()), "hubness": float(found.max()) / len(vectors)}


def _cosines(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rounded, so that ties stay ties in whatever order a processor adds."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return (unit @ unit.T).round(4)

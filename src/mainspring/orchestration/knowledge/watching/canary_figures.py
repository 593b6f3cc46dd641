"""What a model makes of the canary's texts today, against what it made of them at first: pure arithmetic."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from .types import CheckStatus, Figures, Moved, Verdict

Vectors = NDArray[np.float32]

_NEAREST = 5

# The embedded model repeats these texts to the last bit, with one thread or two (2026-11-22, one machine of two cores);
# batches of other sizes and company change no cosine in seven digits. Another processor's integer kernels may, and a
# vendor whose servers add numbers in another order does: how far was not measured here, so there is room for it. A
# vector that is turned by 2.6 degrees has a cosine of 0.999: as the mean of forty texts that is far more than
# rounding, and far less than what tells two models apart, whose vectors have next to nothing in common. One text
# alone may wobble more (8 degrees are 0.99). Lengths change by rounding only; and the nearest five of a text change
# places where others are as near, but not one in ten of them.
LEAST_MEAN_COSINE = 0.999
LEAST_COSINE = 0.99
MOST_NORM_CHANGE = 0.01
LEAST_ORDER_AGREEMENT = 0.9


def pack(vectors: Vectors) -> bytes:
    """Rows as a list of lists in MessagePack, which says their number and size itself."""
    return msgspec.msgpack.encode(vectors.tolist())


def unpack(packed: bytes) -> Vectors:
    """What `pack` packed."""
    return as_vectors(msgspec.msgpack.decode(packed, type=list[list[float]]))


def as_vectors(rows: object) -> Vectors:
    """Rows of equal length as 32-bit numbers; whatever is not finite counts as zero."""
    return np.nan_to_num(np.asarray(rows, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def compare(baseline: Vectors, today: Vectors) -> Figures:
    """Today's figures; vectors of another size have nothing in common with the baseline.

    mean_cosine, worst_cosine  of each text with itself, -1 to 1
    mean_norm                  length of today's vectors
    norm_change                the largest change of a text's length, as a share of what it was
    order_agreement            share of each text's five nearest others that were so before, 0 to 1
    """
    norms = np.linalg.norm(today, axis=1)
    figures = {"mean_norm": float(norms.mean())}
    if baseline.shape != today.shape:
        return figures | {"mean_cosine": 0.0, "worst_cosine": 0.0, "norm_change": 1.0, "order_agreement": 0.0}
    before = np.linalg.norm(baseline, axis=1)
    cosines = (baseline * today).sum(axis=1) / np.maximum(before * norms, 1e-12)
    return figures | {
        "mean_cosine": float(cosines.mean()),
        "worst_cosine": float(cosines.min()),
        "norm_change": float((np.abs(norms - before) / np.maximum(before, 1e-12)).max()),
        "order_agreement": _agreement(_nearest(baseline), _nearest(today)),
    }


def judge(figures: Figures) -> Verdict:
    """Held to fixed limits: the same texts have the same vectors, whatever was usual."""
    limits = (
        ("mean_cosine", LEAST_MEAN_COSINE, 1),
        ("worst_cosine", LEAST_COSINE, 1),
        ("order_agreement", LEAST_ORDER_AGREEMENT, 1),
        ("norm_change", MOST_NORM_CHANGE, -1),
    )
    moved = tuple(
        Moved(name, figures[name], limit) for name, limit, sign in limits if sign * figures[name] < sign * limit
    )
    return Verdict(CheckStatus.MOVED if moved else CheckStatus.NORMAL, moved)


def _nearest(vectors: Vectors) -> NDArray[np.intp]:
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -2.0)
    return np.argsort(-cosines.round(5), axis=1, kind="stable")[:, :_NEAREST]


def _agreement(before: NDArray[np.intp], today: NDArray[np.intp]) -> float:
    kept = [len(set(old) & set(new)) for old, new in zip(before.tolist(), today.tolist(), strict=True)]
    return sum(kept) / (_NEAREST * len(kept))

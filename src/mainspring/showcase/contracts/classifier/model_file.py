"""The model file: plain arrays in an .npz, never a pickle, so that loading it runs no code.

Weights are stored in one byte each. Most are small and a few are large, so it is their signed
square root that is rounded: small weights keep their precision. What people should know about
the file (what it was trained on, by whom the data was made) travels in it as JSON.
"""

import io
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from .features import FeatureSpace
from .signals import ALONE, IN_CONTRACT

FORMAT = 1
_STEPS = 127

Floats = NDArray[np.float32]


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about a model file.

    threshold    a clause has a category from this calibrated probability on
    trained_on   SHA-256 of the training files, by name
    """

    format: int = FORMAT
    categories: tuple[str, ...]
    threshold: float
    contracts: int
    trained_on: dict[str, str]
    attribution: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """Probability = logistic(signals . weights + bias): weights [categories, signals], bias [categories]."""

    weights: Floats
    bias: Floats

    def probabilities(self, signals: Floats) -> Floats:
        """From signals [clauses, categories, signals], in [0, 1]."""
        odds = np.einsum("nck,ck->nc", signals, self.weights) + self.bias
        return (1 / (1 + np.exp(-np.clip(odds, -30, 30)))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class ClauseModel:
    """Everything that is learned.

    weights      [features, categories], as they are after a round trip through the file
    alone        for a text without its contract (signals ALONE)
    in_contract  for the clauses of a contract (signals IN_CONTRACT)
    """

    about: About
    space: FeatureSpace
    weights: Floats
    bias: Floats
    alone: Calibration
    in_contract: Calibration


def pack_weights(weights: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Weights in one byte each, and the largest magnitude of each category."""
    largest = np.maximum(np.abs(weights).max(axis=0), 1e-9)
    roots = np.sign(weights) * np.sqrt(np.abs(weights) / largest)
    return np.rint(roots * _STEPS).astype(np.int8), largest.astype(np.float32)


def unpack_weights(packed: NDArray[np.int8], largest: Floats) -> Floats:
    """The weights that `pack_weights` stored, to within 1 % of the largest."""
    roots = packed.astype(np.float32) / _STEPS
    return roots * np.abs(roots) * largest


def write_model(model: ClauseModel) -> bytes:
    """The file's content; the same model gives the same bytes."""
    packed, largest = pack_weights(model.weights)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        about=np.frombuffer(msgspec.json.encode(model.about, order="sorted"), np.uint8),
        words=np.frombuffer("\n".join(model.space.words).encode(), np.uint8),
        pair_steps=np.diff(model.space.pairs, prepend=0).astype(np.int32),
        opening_steps=np.diff(model.space.openings, prepend=0).astype(np.int32),
        feature_weights=model.space.weights,
        weights=packed,
        largest=largest,
        bias=model.bias,
        alone_weights=model.alone.weights,
        alone_bias=model.alone.bias,
        in_contract_weights=model.in_contract.weights,
        in_contract_bias=model.in_contract.bias,
    )
    return buffer.getvalue()


def read_model(content: bytes) -> ClauseModel:
    """The model in a file's content.

    raises  ValueError when it is not a model file of this format, or its parts do not fit together
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            parts = {name: arrays[name] for name in arrays.files}
        about = msgspec.json.decode(parts["about"].tobytes(), type=About)
        model = _assemble(about, parts)
    except (KeyError, OSError, EOFError, ValueError, msgspec.ValidationError) as failure:
        raise ValueError(f"not a clause model of format {FORMAT} ({len(content):,} bytes); train it again") from failure
    if about.format != FORMAT or not _fits(model):
        raise ValueError(f"the clause model has format {about.format}, this code reads {FORMAT}; train it again")
    return model


def _assemble(about: About, parts: dict[str, NDArray[np.generic]]) -> ClauseModel:
    space = FeatureSpace(
        words=tuple(parts["words"].tobytes().decode().split("\n")),
        pairs=np.cumsum(parts["pair_steps"].astype(np.int64)),
        openings=np.cumsum(parts["opening_steps"].astype(np.int64)),
        weights=parts["feature_weights"].astype(np.float32),
    )
    return ClauseModel(
        about=about,
        space=space,
        weights=unpack_weights(parts["weights"].astype(np.int8), parts["largest"].astype(np.float32)),
        bias=parts["bias"].astype(np.float32),
        alone=Calibration(parts["alone_weights"].astype(np.float32), parts["alone_bias"].astype(np.float32)),
        in_contract=Calibration(
            parts["in_contract_weights"].astype(np.float32), parts["in_contract_bias"].astype(np.float32)
        ),
    )


def _fits(model: ClauseModel) -> bool:
    categories = len(model.about.categories)
    return (
        model.space.weights.shape == (model.space.size,)
        and model.weights.shape == (model.space.size, categories)
        and model.bias.shape == (categories,)
        and model.alone.weights.shape == (categories, len(ALONE))
        and model.in_contract.weights.shape == (categories, len(IN_CONTRACT))
        and model.alone.bias.shape == model.in_contract.bias.shape == (categories,)
    )

"""The model file: plain arrays in an .npz, never a pickle, so that loading it runs no code.

Weights are stored in one byte each. Most are small and a few are large, so it is their signed
square root that is rounded: small weights keep their precision. What people should know about
the file (what it was trained on, by whom the data was made) travels in it as JSON.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from zipfile import BadZipFile

import msgspec
import numpy as np
from numpy.typing import NDArray

from .features import FeatureSpace
from .signals import ALONE, IN_CONTRACT, PASSAGE

FORMAT = 1
_STEPS = 127

Floats = NDArray[np.float32]
_Parts = Mapping[str, NDArray[np.generic]]


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about a model file.

    threshold          a clause has a category from this calibrated probability on
    passage_threshold  the same for passages that are known to have a category
    trained_on         SHA-256 of the training files, by name
    """

    format: int = FORMAT
    categories: tuple[str, ...]
    threshold: float
    passage_threshold: float
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
class Linear:
    """Raw score = features . weights + bias: weights [features, categories], bias [categories]."""

    weights: Floats
    bias: Floats

    def rounded(self) -> "Linear":
        """As it will be after a round trip through the file."""
        return Linear(unpack_weights(*pack_weights(self.weights)), self.bias)


@dataclass(frozen=True, slots=True)
class ClauseModel:
    """Everything that is learned.

    clauses      tells clauses of a category from all other text
    passages     tells categories apart, given that the text has one
    alone        for a text without its contract (signals ALONE)
    in_contract  for the clauses of a contract (signals IN_CONTRACT)
    passage      for texts that are known to have a category (signals PASSAGE)
    """

    about: About
    space: FeatureSpace
    clauses: Linear
    passages: Linear
    alone: Calibration
    in_contract: Calibration
    passage: Calibration


def pack_weights(weights: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Weights in one byte each, and the largest magnitude of each category."""
    largest = np.maximum(np.abs(weights).max(axis=0), 1e-9)
    roots = np.sign(weights) * np.sqrt(np.abs(weights) / largest)
    return np.rint(roots * _STEPS).astype(np.int8), largest.astype(np.float32)


def unpack_weights(packed: NDArray[np.int8], largest: Floats) -> Floats:
    """The weights that `pack_weights` stored, to within 1 % of the largest."""
    roots = packed.astype(np.float32) / _STEPS
    return (roots * np.abs(roots) * largest).astype(np.float32)


def write_model(model: ClauseModel) -> bytes:
    """The file's content; the same model gives the same bytes."""
    arrays: dict[str, NDArray[np.generic]] = {
        "about": np.frombuffer(msgspec.json.encode(model.about, order="sorted"), np.uint8),
        "words": np.frombuffer("\n".join(model.space.words).encode(), np.uint8),
        "pair_steps": np.diff(model.space.pairs, prepend=0).astype(np.int32),
        "opening_steps": np.diff(model.space.openings, prepend=0).astype(np.int32),
        "stems": np.frombuffer("\n".join(model.space.stems).encode(), np.uint8),
        "feature_weights": model.space.weights,
    }
    for name, linear in (("clauses", model.clauses), ("passages", model.passages)):
        arrays[f"{name}.packed"], arrays[f"{name}.largest"] = pack_weights(linear.weights)
        arrays[f"{name}.bias"] = linear.bias
    for name, fit in (("alone", model.alone), ("in_contract", model.in_contract), ("passage", model.passage)):
        arrays[f"{name}.weights"], arrays[f"{name}.bias"] = fit.weights, fit.bias
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def read_model(content: bytes) -> ClauseModel:
    """The model in a file's content.

    raises  ValueError when it is not a model file of this format, or its parts do not fit together
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            parts = {name: arrays[name] for name in arrays.files}
        model = _assemble(parts)
    except (KeyError, OSError, EOFError, ValueError, BadZipFile, msgspec.DecodeError) as failure:
        raise ValueError(f"not a clause model of format {FORMAT} ({len(content):,} bytes); train it again") from failure
    if model.about.format != FORMAT or not _fits(model):
        raise ValueError(f"the clause model has format {model.about.format}, or parts that do not fit; train it again")
    return model


def _assemble(parts: _Parts) -> ClauseModel:
    return ClauseModel(
        about=msgspec.json.decode(parts["about"].tobytes(), type=About),
        space=FeatureSpace(
            words=tuple(parts["words"].tobytes().decode().split("\n")),
            pairs=np.cumsum(parts["pair_steps"].astype(np.int64)),
            openings=np.cumsum(parts["opening_steps"].astype(np.int64)),
            stems=tuple(parts["stems"].tobytes().decode().split("\n")),
            weights=parts["feature_weights"].astype(np.float32),
        ),
        clauses=_linear(parts, "clauses"),
        passages=_linear(parts, "passages"),
        alone=_calibration(parts, "alone"),
        in_contract=_calibration(parts, "in_contract"),
        passage=_calibration(parts, "passage"),
    )


def _linear(parts: _Parts, name: str) -> Linear:
    packed, largest = parts[f"{name}.packed"].astype(np.int8), parts[f"{name}.largest"].astype(np.float32)
    return Linear(unpack_weights(packed, largest), parts[f"{name}.bias"].astype(np.float32))


def _calibration(parts: _Parts, name: str) -> Calibration:
    return Calibration(parts[f"{name}.weights"].astype(np.float32), parts[f"{name}.bias"].astype(np.float32))


def _fits(model: ClauseModel) -> bool:
    size, categories = model.space.size, len(model.about.categories)
    fits = model.space.weights.shape == (size,)
    for linear in (model.clauses, model.passages):
        fits = fits and linear.weights.shape == (size, categories) and linear.bias.shape == (categories,)
    for fit, signals in ((model.alone, ALONE), (model.in_contract, IN_CONTRACT), (model.passage, PASSAGE)):
        fits = fits and fit.weights.shape == (categories, len(signals)) and fit.bias.shape == (categories,)
    return fits

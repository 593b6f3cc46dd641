"""The learned choice: what similar questions taught about each model, and the cheapest that will do.

A question's neighbours are the tenant's own past calls whose questions lie nearest in embedding
space, found for each model on its own, since a call has the outcome of one model only. Their scores,
weighted by nearness and pulled towards the model's overall mean, give the prediction; the lower bound
is a normal one at 80 %, over the number of neighbours that the weights are worth.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .plans import Option
from .types import Prediction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEIGHBOURS = 64
MARGIN = 0.1
"""How far the chosen model's lower bound may lie under the best one's."""
MIN_SEEN = 30
"""A model with fewer outcomes is not predicted."""
_PRIOR = 12.0
"""How many neighbours the model's overall mean is worth."""
_SHARPNESS = 6.0
"""Weight of a neighbour is exp(sharpness * (cosine - the nearest one's))."""
_NORMAL_80 = 0.8416


def cheapest_that_will_do(
    options: Sequence[Option],
    costs: Mapping[str, float],
    predictions: Mapping[str, Prediction],
    margin: float = MARGIN,
) -> Option | None:
    """The cheapest option whose lower bound is within `margin` of the best; None where fewer than two are predicted."""
    known = [option for option in options if option.deployment.model.name in predictions]
    if len({option.deployment.model.name for option in known}) < 2:
        return None
    lower = {option.name: predictions[option.deployment.model.name].lower for option in known}
    least = max(lower.values()) - margin
    return min((option for option in known if lower[option.name] >= least), key=lambda option: costs[option.name])


class Neighbours:
    """Past outcomes of one tenant, searched exactly: at most a few thousand, about 0.3 ms for a question.

    Each model's embeddings are an array of shape (outcomes, dimensions) of unit vectors.
    """

    __slots__ = ("_by_model", "neighbours")

    def __init__(
        self,
        models: Sequence[str],
        embeddings: "NDArray[np.float32]",
        scores: "NDArray[np.float32]",
        *,
        neighbours: int = NEIGHBOURS,
    ) -> None:
        import numpy  # only tenants whose routing learns need it

        self.neighbours = neighbours
        named = numpy.asarray(models, dtype=object)
        self._by_model = {
            model: (
                numpy.ascontiguousarray(embeddings[named == model], dtype=numpy.float32),
                scores[named == model].astype(numpy.float32),
            )
            for model in dict.fromkeys(models)
        }

    @property
    def seen(self) -> Mapping[str, int]:
        """Outcomes by model."""
        return {model: len(scores) for model, (_, scores) in self._by_model.items()}

    def predict(self, embedding: Sequence[float], models: Sequence[str]) -> Mapping[str, Prediction]:
        """A prediction for each of the models with at least MIN_SEEN outcomes."""
        import numpy

        question = numpy.asarray(embedding, dtype=numpy.float32)
        return {
            model: self._predict(question, *self._by_model[model])
            for model in models
            if model in self._by_model and len(self._by_model[model][1]) >= MIN_SEEN
        }

    def _predict(
        self, question: "NDArray[np.float32]", embeddings: "NDArray[np.float32]", scores: "NDArray[np.float32]"
    ) -> Prediction:
        import numpy

        cosines = embeddings @ question
        count = min(self.neighbours, len(scores))
        nearest = numpy.argpartition(-cosines, count - 1)[:count]
        weights = numpy.exp(_SHARPNESS * (cosines[nearest] - cosines[nearest].max()))
        overall = float(scores.mean())
        worth = float(weights.sum() ** 2 / (weights**2).sum())
        near = float((weights * scores[nearest]).sum() / weights.sum())
        score = (worth * near + _PRIOR * overall) / (worth + _PRIOR)
        spread = max(score * (1 - score), 0.0) / (worth + _PRIOR)
        return Prediction(score, max(score - _NORMAL_80 * spread**0.5, 0.0), len(scores))

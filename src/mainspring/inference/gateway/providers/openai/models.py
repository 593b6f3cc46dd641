"""GET /v1/models in the OpenAI dialect."""

from collections.abc import Sequence

from mainspring.inference.gateway.providers.cards import ModelCard
from mainspring.inference.gateway.providers.wire import Wire


def encode_model(card: ModelCard) -> Wire:
    """One model."""
    wire: Wire = {
        "id": card.id,
        "object": "model",
        "created": int(card.created_at.timestamp()),
        "owned_by": card.owned_by,
    }
    return wire | ({"shutdown_date": card.retires_at.date().isoformat()} if card.retires_at else {})


def encode_models(cards: Sequence[ModelCard]) -> Wire:
    """All models; the dialect has no pages."""
    return {"object": "list", "data": [encode_model(card) for card in cards]}

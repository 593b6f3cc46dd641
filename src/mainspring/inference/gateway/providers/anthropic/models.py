"""GET /v1/models in the Anthropic dialect, for callers that send `anthropic-version`."""

from collections.abc import Sequence
from datetime import UTC, datetime

from mainspring.inference.gateway.providers.cards import ModelCard
from mainspring.inference.gateway.providers.wire import Wire


def encode_model(card: ModelCard) -> Wire:
    """One model."""
    return {
        "type": "model",
        "id": card.id,
        "display_name": card.display_name,
        "created_at": _instant(card.created_at),
        "lifecycle": card.lifecycle,
        "retires_at": _instant(card.retires_at) if card.retires_at else None,
        "max_input_tokens": card.context_tokens,
        "max_tokens": card.max_output_tokens,
    }


def encode_models(
    cards: Sequence[ModelCard], *, limit: int = 20, after_id: str | None = None, before_id: str | None = None
) -> Wire:
    """One page: the `limit` models (1 to 1000) that follow `after_id`, or that come before `before_id`."""
    limit = min(max(limit, 1), 1000)
    places = {card.id: place for place, card in enumerate(cards)}
    if before_id in places:
        rest = cards[: places[before_id]]
        page, has_more = rest[-limit:], len(rest) > limit
    else:
        rest = cards[places[after_id] + 1 :] if after_id in places else cards
        page, has_more = rest[:limit], len(rest) > limit
    return {
        "data": [encode_model(card) for card in page],
        "has_more": has_more,
        "first_id": page[0].id if page else None,
        "last_id": page[-1].id if page else None,
    }


def encode_count(input_tokens: int) -> Wire:
    """The reply of POST /v1/messages/count_tokens; its request is decoded like any other."""
    return {"input_tokens": input_tokens}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")

"""Models, embeddings and counts, read by the vendors' own clients."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers import anthropic, openai
from mainspring.inference.gateway.providers.cards import ModelCard
from mainspring.inference.gateway.providers.openai import EmbeddingsRequest, decode_embeddings_request
from mainspring.inference.gateway.providers.wire import Wire, to_json
from mainspring.inference.gateway.tokens import estimate_input_tokens
from mainspring.inference.gateway.types import Embeddings
from mainspring.inference.messages import Usage

from .clients import anthropic_client, openai_client

MADE, GONE = datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
CARDS = [
    ModelCard("openai/gpt-5", MADE, "openai", "GPT-5", context_tokens=400_000),
    ModelCard("anthropic/claude-opus-5", MADE, "anthropic", "Claude Opus 5"),
    ModelCard("local/smollm2", MADE, "mainspring", "SmolLM2", "deprecated", GONE),
]
VECTORS = Embeddings(np.array([[0.25, -1.0], [1.0, 0.5]], dtype=np.float32), "e", Usage(input_tokens=9))


def test_openais_client_lists_models_and_finds_one() -> None:
    caller, _ = openai_client(to_json(openai.encode_models(CARDS)))
    models = list(caller.models.list())
    assert [(model.id, model.owned_by) for model in models] == [(card.id, card.owned_by) for card in CARDS]
    assert models[0].created == MADE.timestamp()
    caller, sent = openai_client(to_json(openai.encode_model(CARDS[2])))
    assert caller.models.retrieve("local/smollm2").shutdown_date == "2027-01-01"
    assert sent.path == "/v1/models/local%2Fsmollm2"


def test_anthropics_client_lists_models_and_finds_one() -> None:
    caller, _ = anthropic_client(to_json(anthropic.encode_models(CARDS)))
    models = list(caller.models.list())
    assert [(model.id, model.display_name) for model in models] == [(card.id, card.display_name) for card in CARDS]
    assert models[0].created_at == MADE
    assert models[0].max_input_tokens == 400_000
    caller, _ = anthropic_client(to_json(anthropic.encode_model(CARDS[2])))
    found = caller.models.retrieve("local/smollm2")
    assert (found.lifecycle, found.retires_at) == ("deprecated", GONE)


def test_models_come_in_pages() -> None:
    first = anthropic.encode_models(CARDS, limit=2)
    assert ([model["id"] for model in first["data"]], first["has_more"]) == ([card.id for card in CARDS[:2]], True)
    rest = anthropic.encode_models(CARDS, limit=2, after_id=first["last_id"])
    assert ([model["id"] for model in rest["data"]], rest["has_more"]) == ([CARDS[2].id], False)
    back = anthropic.encode_models(CARDS, limit=1, before_id=CARDS[2].id)
    assert ([model["id"] for model in back["data"]], back["has_more"]) == ([CARDS[1].id], True)
    empty = anthropic.encode_models([])
    assert (empty["data"], empty["first_id"], empty["has_more"]) == ([], None, False)


def test_a_count_is_asked_for_without_a_limit_and_answered() -> None:
    caller, sent = anthropic_client(to_json(anthropic.encode_count(42)))
    reply = caller.messages.count_tokens(model="m", messages=[{"role": "user", "content": "Hi there"}], system="Brief.")
    assert (reply.input_tokens, sent.path) == (42, "/v1/messages/count_tokens")
    assert estimate_input_tokens(anthropic.decode_request(sent.bodies[0])) == 8 + 2 * 4 + 2 + 2


@pytest.mark.parametrize("as_base64", [True, False])
def test_openais_client_reads_vectors_in_either_form(as_base64: bool) -> None:
    caller, sent = openai_client(to_json(openai.encode_embeddings(VECTORS, as_base64=as_base64)))
    if as_base64:
        reply = caller.embeddings.create(model="e", input=["a", "b"], dimensions=2)
    else:
        reply = caller.embeddings.create(model="e", input=["a", "b"], dimensions=2, encoding_format="float")
    assert [item.embedding for item in reply.data] == [[0.25, -1.0], [1.0, 0.5]]
    assert reply.usage.prompt_tokens == 9
    assert decode_embeddings_request(sent.bodies[0]) == EmbeddingsRequest(("a", "b"), "e", 2, as_base64)


def test_one_text_is_a_list_of_one() -> None:
    assert decode_embeddings_request({"input": "a"}) == EmbeddingsRequest(("a",))


@pytest.mark.parametrize(
    ("wire", "why"),
    [
        ({}, "1 to 2048"),
        ({"input": []}, "1 to 2048"),
        ({"input": ["a"] * 2049}, "1 to 2048"),
        ({"input": ""}, "not empty"),
        ({"input": ["a", ""]}, "not empty"),
        ({"input": [1, 2]}, "holds tokens"),
        ({"input": [[1, 2]]}, "holds tokens"),
        ({"input": [{}]}, "not empty"),
        ({"input": "a", "encoding_format": "hex"}, "float or base64"),
        ({"input": "a", "dimensions": 0}, "above 0"),
        ({"input": "a", "dimensions": True}, "above 0"),
        ({"input": "a", "model": 7}, "model"),
    ],
)
def test_what_cannot_be_embedded_is_refused_with_the_reason(wire: Wire, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        decode_embeddings_request(wire)


def test_the_length_of_vectors_is_asked_for() -> None:
    expected: dict[str, Any] = {"model": "e", "input": ["a"], "encoding_format": "base64"}
    assert openai.encode_texts(["a"], model="e") == expected
    assert openai.encode_texts(["a"], model="e", dimensions=64) == {**expected, "dimensions": 64}

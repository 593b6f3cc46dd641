"""Estimates of tokens: above the truth for reservations, near it for callers who ask."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from mainspring.inference.gateway.providers import anthropic, openai
from mainspring.inference.gateway.providers.local.assets import EMBEDDING_TOKENIZER
from mainspring.inference.gateway.providers.wire import Wire, to_json
from mainspring.inference.gateway.tokens import count_words, estimate_input_tokens

PROSE = Path(__file__).parents[3].joinpath("ARCHITECTURE.md").read_text("utf-8")
DATA = b64encode(bytes(120_000)).decode()


def ask(*content: dict[str, Any]) -> Wire:
    return {"model": "m", "messages": [{"role": "user", "content": list(content)}]}


def true_tokens(text: str) -> int:
    tokenizer = Tokenizer.from_file(str(EMBEDDING_TOKENIZER.get()))
    tokenizer.no_truncation()
    return len(tokenizer.encode(text, add_special_tokens=False).ids)


def test_the_bytes_of_prose_are_estimated_above_the_truth_but_not_absurdly() -> None:
    estimate = estimate_input_tokens(to_json(ask({"type": "text", "text": PROSE})))
    assert 1 <= estimate / true_tokens(PROSE) < 2.5


def test_the_words_of_prose_are_estimated_near_the_truth() -> None:
    estimate = estimate_input_tokens(openai.decode_request(ask({"type": "text", "text": PROSE})))
    assert 0.75 < estimate / true_tokens(PROSE) < 1.35


@pytest.mark.parametrize(
    "picture",
    [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}},
    ],
)
def test_a_picture_counts_by_what_it_shows_and_not_by_its_bytes(picture: dict[str, Any]) -> None:
    assert 1600 < estimate_input_tokens(to_json(ask(picture, {"type": "text", "text": "Hi"}))) < 1700


def test_two_pictures_count_twice() -> None:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}}
    assert 3200 < estimate_input_tokens(to_json(ask(picture, picture))) < 3350


def test_a_file_counts_by_its_size_much_less_than_as_text() -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": DATA}
    body = ask({"type": "document", "source": source})
    assert 4000 < estimate_input_tokens(to_json(body)) < 4200
    assert 4000 < estimate_input_tokens(anthropic.decode_request(body)) < 4200


def test_prose_about_base64_is_prose() -> None:
    said = ask({"type": "text", "text": "base64, as RFC 4648 has it. " * 100})
    size = len(to_json(said))
    assert estimate_input_tokens(to_json(said)) == -(-size // 3)


def test_tools_results_and_schemas_count() -> None:
    bare = ask({"type": "text", "text": "Hi"})
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    shape = {"type": "json_schema", "json_schema": {"name": "r", "strict": True, "schema": {"type": "object"}}}
    full = {**bare, "tools": [tool], "response_format": shape}
    assert estimate_input_tokens(openai.decode_request(full)) > estimate_input_tokens(openai.decode_request(bare)) + 20


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("Hi there", 2), ("123456", 2), ("a\n\nb", 3), ("契約", 2)])
def test_words_are_counted_by_rule(text: str, tokens: int) -> None:
    assert count_words(text) == tokens


def test_nothing_is_at_least_one_token() -> None:
    assert estimate_input_tokens(b"") == 1

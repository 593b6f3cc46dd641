"""A failed call is told in its caller's dialect, so that the vendors' own clients raise the right exception."""

from typing import Any

import anthropic as anthropic_sdk
import openai as openai_sdk
import pytest

from mainspring.foundation import errors as common
from mainspring.inference.gateway import errors
from mainspring.inference.gateway.providers import anthropic, openai, responses
from mainspring.inference.gateway.providers.dialects import Inbound
from mainspring.inference.gateway.providers.refusals import fault, retry_headers
from mainspring.inference.gateway.providers.wire import to_json
from mainspring.inference.messages import Started, TextDelta

from .clients import anthropic_client, openai_client

INBOUNDS = [openai.INBOUND, responses.INBOUND, anthropic.INBOUND]
ASK: list[Any] = [{"role": "user", "content": "Hi"}]


class BudgetExceeded(common.RateLimited):
    """Like the error of a room that comes later."""

    code = "budget_exceeded"


INVALID = "invalid_request_error"
CASES: list[tuple[type[common.MainspringError], str, str, str, str]] = [
    (common.InvalidInput, "BadRequestError", INVALID, "invalid_input", INVALID),
    (common.BadRequest, "BadRequestError", INVALID, "bad_request", INVALID),
    (common.TooLarge, "APIStatusError", INVALID, "request_too_large", "request_too_large"),
    (common.Unauthenticated, "AuthenticationError", "authentication_error", "invalid_api_key", "authentication_error"),
    (common.Forbidden, "PermissionDeniedError", "permission_error", "forbidden", "permission_error"),
    (common.NotFound, "NotFoundError", "not_found_error", "not_found", "not_found_error"),
    (common.Conflict, "ConflictError", INVALID, "conflict", INVALID),
    (common.RateLimited, "RateLimitError", "rate_limit_error", "rate_limit_exceeded", "rate_limit_error"),
    (BudgetExceeded, "RateLimitError", "insufficient_quota", "insufficient_quota", "rate_limit_error"),
    (common.Unavailable, "InternalServerError", "service_unavailable_error", "unavailable", "api_error"),
    (common.MainspringError, "InternalServerError", "server_error", "internal_error", "api_error"),
    (errors.UnknownModel, "NotFoundError", INVALID, "model_not_found", "not_found_error"),
    (errors.AiDisabled, "PermissionDeniedError", "permission_error", "ai_disabled", "permission_error"),
    (errors.RateLimited, "RateLimitError", "rate_limit_error", "rate_limit_exceeded", "rate_limit_error"),
    (errors.Overloaded, "InternalServerError", "service_unavailable_error", "server_is_overloaded", "overloaded_error"),
    (errors.TimedOut, "InternalServerError", "timeout_error", "model_timed_out", "timeout_error"),
    (errors.StreamBroken, "InternalServerError", "server_error", "model_stream_broken", "api_error"),
    (
        errors.ContextTooLong,
        "BadRequestError",
        INVALID,
        "context_length_exceeded",
        INVALID,
    ),
    (
        errors.ContentRefused,
        "BadRequestError",
        INVALID,
        "content_policy_violation",
        INVALID,
    ),
    (errors.InvalidOutput, "InternalServerError", "server_error", "model_invalid_output", "api_error"),
    (errors.Unauthorized, "InternalServerError", "server_error", "model_unauthorized", "api_error"),
    (
        errors.InvalidRequest,
        "BadRequestError",
        INVALID,
        "model_request_invalid",
        INVALID,
    ),
    # error, exception of both clients, OpenAI's type and code, Anthropic's type
]


def body_and_status(inbound: Inbound, error: common.MainspringError) -> tuple[bytes, int]:
    return to_json(inbound.encode_error(error)), inbound.status_of(error)


@pytest.mark.parametrize(("kind", "raised", "type_", "code"), [case[:4] for case in CASES])
def test_openais_client_raises_its_own_exception(
    kind: type[common.MainspringError], raised: str, type_: str, code: str
) -> None:
    for inbound in (openai.INBOUND, responses.INBOUND):
        body, status = body_and_status(inbound, kind("What to do next."))
        caller, _ = openai_client(body, status=status)
        with pytest.raises(openai_sdk.APIStatusError, match=r"What to do next\.") as found:
            caller.chat.completions.create(model="m", messages=ASK)
        assert type(found.value) is getattr(openai_sdk, raised)
        assert (found.value.type, found.value.code) == (type_, code)


@pytest.mark.parametrize(("kind", "raised", "type_"), [(*case[:2], case[4]) for case in CASES])
def test_anthropics_client_raises_its_own_exception(
    kind: type[common.MainspringError], raised: str, type_: str
) -> None:
    body, status = body_and_status(anthropic.INBOUND, kind("What to do next."))
    caller, _ = anthropic_client(body, status=status)
    with pytest.raises(getattr(anthropic_sdk, raised), match=r"What to do next\.") as found:
        caller.messages.create(model="m", max_tokens=5, messages=ASK)
    assert isinstance(found.value, anthropic_sdk.APIStatusError)
    assert found.value.type == type_
    assert found.value.error_code


def test_every_error_of_the_gateway_has_a_case() -> None:
    closed = {kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == errors.__name__}
    assert closed - {errors.ModelError} <= {case[0] for case in CASES}


def test_overload_has_each_vendors_own_status() -> None:
    overloaded = errors.Overloaded("Busy.")
    assert [inbound.status_of(overloaded) for inbound in INBOUNDS] == [503, 503, 529]


def test_what_the_vendor_said_is_not_told() -> None:
    error = errors.Overloaded("Busy.", vendor_text="secret detail")
    for inbound in INBOUNDS:
        assert b"secret" not in to_json(inbound.encode_error(error)) + inbound.error_event(error)


def test_the_field_at_fault_is_named() -> None:
    assert openai.encode_error(fault("n", "n is 2."))["error"]["param"] == "n"
    assert openai.encode_error(errors.UnknownModel("No."))["error"]["param"] == "model"
    assert openai.encode_error(errors.ContextTooLong("No."))["error"]["param"] == "messages"
    assert responses.encode_error(errors.ContextTooLong("No."))["error"]["param"] == "input"


def test_clients_that_shorten_and_try_again_find_the_words_they_look_for() -> None:
    assert "prompt is too long" in anthropic.encode_error(errors.ContextTooLong("Send less."))["error"]["message"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (common.RateLimited("", retry_after_seconds=1.5), ("2", "1500", "true")),
        (common.RateLimited("", retry_after_seconds=7200), ("7200", "7200000", "false")),
        (errors.Overloaded(""), (None, None, "true")),
        (errors.InvalidOutput(""), (None, None, "false")),
    ],
)
def test_clients_are_told_whether_to_come_back(
    error: common.MainspringError, expected: tuple[str | None, str | None, str]
) -> None:
    headers = retry_headers(error)
    assert tuple(headers.get(name) for name in ("retry-after", "retry-after-ms", "x-should-retry")) == expected


def test_a_failure_amid_a_stream_is_raised_by_openais_client() -> None:
    writer = openai.INBOUND.writer(5, True)
    stream = writer.write(Started("c", "m")) + writer.write(TextDelta("Hi")) + writer.fail(errors.TimedOut("Too slow."))
    caller, _ = openai_client(stream, kind="text/event-stream")
    said = ""
    with pytest.raises(openai_sdk.APIError, match="Too slow"):  # noqa: PT012 - the stream raises at its third event
        for chunk in caller.chat.completions.create(model="m", messages=ASK, stream=True):
            said += chunk.choices[0].delta.content or ""
    assert said == "Hi"


def test_a_failure_amid_a_stream_is_raised_by_anthropics_client() -> None:
    writer = anthropic.INBOUND.writer(5, True)
    stream = writer.write(Started("c", "m")) + writer.write(TextDelta("Hi")) + writer.fail(errors.Overloaded("Busy."))
    caller, _ = anthropic_client(stream, kind="text/event-stream")
    with (
        pytest.raises(anthropic_sdk.APIStatusError, match="Busy") as found,
        caller.messages.stream(model="m", max_tokens=5, messages=ASK) as events,
    ):
        assert "".join(events.text_stream) == "unreached"
    assert found.value.type == "overloaded_error"

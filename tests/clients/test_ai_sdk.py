"""The Vercel AI SDK, unchanged, in Node: its four ways to speak over a provider of each dialect."""

import json
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.upstream import Reply, Tokens, ToolCall

from .packages import skip_or_fail
from .rig import LOCAL_MODEL, Provider, Rig

FOLDER = Path(__file__).parent / "node"
CALLS = (ToolCall("weather", '{"city":"Oslo"}', "call_a"), ToolCall("weather", '{"city":"Rome"}', "call_b"))

pytestmark = pytest.mark.slow
if shutil.which("node") is None or not (FOLDER / "node_modules" / "ai").is_dir():
    skip_or_fail("the AI SDK is not installed here")


@pytest.fixture(params=["openai", "responses", "anthropic", "compatible"])
def sdk(request: pytest.FixtureRequest) -> str:
    """How the SDK speaks."""
    return request.param


def run(rig: Rig, sdk: str, task: str, model: str, key: str | None = None) -> Any:
    asked = {"sdk": sdk, "task": task, "model": model, "url": rig.v1, "key": key or rig.key}
    done = subprocess.run(
        ["node", "client.mjs"],
        cwd=FOLDER,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_generate_text_gives_text_usage_and_headers(rig: Rig, sdk: str, provider: Provider) -> None:
    provider.script(Reply(text="Thirty days.", usage=Tokens(input=20, output=4)))
    told = run(rig, sdk, "generate", provider.model)
    assert (told["text"], told["finishReason"]) == ("Thirty days.", "stop")
    assert (told["usage"]["inputTokens"], told["usage"]["outputTokens"]) == (20, 4)
    assert "Be brief." in json.dumps(provider.asked)
    assert rig.record(told["headers"]["x-mainspring-request-id"])["feature"] == "help-desk"


def test_stream_text_gives_pieces_and_usage(rig: Rig, sdk: str, provider: Provider) -> None:
    provider.script(Reply(text="one two three", usage=Tokens(input=20, output=4)))
    told = run(rig, sdk, "stream", provider.model)
    assert told["pieces"] == ["one ", "two ", "three"]
    assert (told["usage"]["inputTokens"], told["usage"]["outputTokens"]) == (20, 4)
    assert told["finishReason"] == "stop"


@pytest.mark.parametrize("task", ["tools", "streamed_tools"])
def test_tools_are_run_and_their_results_sent_back(rig: Rig, sdk: str, provider: Provider, task: str) -> None:
    provider.script(Reply(tool_calls=CALLS), Reply(text="Cold and warm."))
    told = run(rig, sdk, task, provider.model)
    assert told == {"text": "Cold and warm.", "calls": [["weather", {"city": "Oslo"}], ["weather", {"city": "Rome"}]]}
    sent = json.dumps(provider.asked)
    assert all(word in sent for word in ("result for Oslo", "result for Rome"))


@pytest.mark.parametrize("task", ["object", "streamed_object"])
def test_an_object_follows_the_callers_schema(rig: Rig, sdk: str, provider: Provider, task: str) -> None:
    provider.script(Reply(text='{"party":"Acme","days":30}'))
    assert run(rig, sdk, task, provider.model) == {"party": "Acme", "days": 30}
    assert "party" in json.dumps(provider.asked)


def test_images_reach_the_provider(rig: Rig, sdk: str, provider: Provider) -> None:
    run(rig, sdk, "image", provider.model)
    assert b64encode(b"not really a picture").decode() in json.dumps(provider.asked)


def test_refusals_say_whether_to_try_again(rig: Rig, sdk: str) -> None:
    told = run(rig, sdk, "refused", rig.openai.model, rig.reader_key)
    assert (told["name"], told["status"], told["isRetryable"]) == ("AI_APICallError", 403, False)
    assert "ai.model.call" in told["message"]


def test_a_local_model_streams(rig: Rig, sdk: str) -> None:
    assert "".join(run(rig, sdk, "stream", LOCAL_MODEL)["pieces"])

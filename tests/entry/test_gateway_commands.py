"""The commands of the gateway, run as an operator runs them, and what they change at the gateway itself."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from mainspring.entry.gateways import HeldPort
from mainspring.foundation.engines import port_is_free
from mainspring.foundation.ids import new_id
from tests.scene import Scene
from tests.stack import RunningStack, wait_until

LOCAL = "local/smollm2-135m-instruct"
EMBEDDER = "local/minilm-l6-v2"


def run(stack: RunningStack | None, *arguments: str, given: str = "", **environment: str):
    home = {"MAINSPRING_DATA_DIR": str(stack.settings.data_dir)} if stack else {}
    return subprocess.run(
        [sys.executable, "-m", "mainspring.entry.cli", *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "COLUMNS": "200", **home, **environment},
    )


def read(stack: RunningStack | None, *arguments: str, given: str = "", **environment: str) -> Any:
    answer = run(stack, *arguments, "--json", given=given, **environment)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def embed(url: str, key: str) -> httpx.Response:
    body = {"model": EMBEDDER, "input": "A clause."}
    return httpx.post(f"{url}/v1/embeddings", headers={"authorization": f"Bearer {key}"}, json=body, timeout=30)


@pytest.fixture
def firm(stack: RunningStack) -> str:
    slug = f"firm-{new_id().hex[-12:]}"
    read(stack, "tenant", "create", slug)
    return slug


def test_a_key_made_by_the_command_calls_models(stack: RunningStack, firm: str):
    key = read(stack, "key", "create", firm)["secret"]
    answer = embed(stack.gateway_url, key)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["data"][0]["embedding"]) == 384
    narrow = read(stack, "key", "create", firm, "--scope", "ai.output.view")["secret"]
    assert embed(stack.gateway_url, narrow).status_code == 403


def test_a_policy_is_put_shown_and_followed_by_the_gateway(stack: RunningStack, firm: str):
    key = read(stack, "key", "create", firm)["secret"]
    assert embed(stack.gateway_url, key).status_code == 200
    assert read(stack, "policy", "show", "--tenant", firm) == {
        "version": 0,
        "updated_at": None,
        "by": None,
        "policy": {},
    }
    document = {"allow": ["openai/*"]}
    put = read(stack, "policy", "set", "--tenant", firm, "-", given=json.dumps(document))
    assert put == {"tenant": firm, "version": 1}
    assert json.loads(run(stack, "policy", "show", "--tenant", firm).stdout) == document
    wait_until(lambda: "no_permitted_route" in embed(stack.gateway_url, key).text)


def test_a_policy_is_not_put_over_one_that_was_not_seen(stack: RunningStack, firm: str, tmp_path: Path):
    (tmp_path / "policy.json").write_text("{}")
    arguments = ("policy", "set", "--tenant", firm, str(tmp_path / "policy.json"), "--over", "7")
    answer = run(stack, *arguments)
    assert (answer.returncode, "policy_stale" in answer.stderr) == (1, True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('{"allw": []}', "unknown field `allw`"),
        ('{"limits": [{"scope": "tenant", "requests_per_minute": 0}]}', "requests_per_minute is 0"),
        ("{", "is not JSON"),
    ],
)
def test_a_wrong_policy_is_answered_with_the_place(stack: RunningStack, given: str, said: str):
    slug = "firm-of-mistakes"
    run(stack, "tenant", "create", slug)
    answer = run(stack, "policy", "set", "--tenant", slug, "-", given=given)
    assert answer.returncode == 1
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr
    assert read(stack, "policy", "show", "--tenant", slug)["version"] == 0


def test_a_provider_key_comes_from_standard_input_and_never_out_again(stack: RunningStack, firm: str):
    secret = "sk-provider-0123456789abcdef"
    put = run(stack, "provider-key", "set", "--tenant", firm, "openai", given=f"{secret}\n")
    assert put.returncode == 0, put.stderr
    assert "cdef" in put.stdout
    (listed,) = read(stack, "provider-key", "list", "--tenant", firm)
    assert (listed["provider"], listed["last_four"], listed["trouble"]) == ("openai", "cdef", None)
    assert secret not in put.stdout + json.dumps(listed)
    assert read(stack, "provider-key", "delete", "--tenant", firm, "openai")["state"] == "deleted"
    again = run(stack, "provider-key", "delete", "--tenant", firm, "openai")
    assert again.returncode == 1
    assert "There is no key" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("policy", "show", "--tenant", "nobody-here"), "mainspring tenant list"),
        (("policy", "set", "--tenant", "nobody-here", "/none.json"), "There is no file /none.json"),
        (("provider-key", "set", "--tenant", "acme", "nope"), "choose from anthropic"),
        (("provider-key", "set", "--tenant", "acme", "openai"), "invalid_input"),
        (("route", "explain"), "MAINSPRING_API_KEY"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(scene: Scene, arguments: tuple[str, ...], said: str):
    answer = run(scene.stack, *arguments)
    assert answer.returncode == 1
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_master_key_is_replaced_in_three_steps(stack: RunningStack, firm: str):
    old, new = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))
    read(stack, "provider-key", "set", "--tenant", firm, "openai", given="k" * 20, MAINSPRING_MASTER_KEY=old)
    stranger = run(stack, "rewrap", MAINSPRING_MASTER_KEY=new)
    assert (stranger.returncode, "keep the older master keys for: ten_" in stranger.stdout) == (1, True)
    assert read(stack, "rewrap", MAINSPRING_MASTER_KEY=f"{new},{old}")["rewrapped"] >= 1
    (listed,) = read(stack, "provider-key", "list", "--tenant", firm, MAINSPRING_MASTER_KEY=new)
    assert listed["trouble"] is None
    read(stack, "provider-key", "delete", "--tenant", firm, "openai")


def test_models_are_listed_with_price_lifecycle_and_endpoint(stack: RunningStack):
    lines = {line["model"]: line for line in read(stack, "models", OPENAI_API_KEY="sk-x")}
    assert lines[LOCAL]["endpoints"] == ["local"]
    assert lines[LOCAL]["usd_per_million_tokens"] == "0.000 / 0.000"
    priced = [line for name, line in lines.items() if name.startswith("openai/")]
    assert any(line["usd_per_million_tokens"] for line in priced)
    assert read(stack, "models", "no-such-model") == []


def test_a_deprecated_model_comes_with_a_warning(tmp_path: Path):
    (tmp_path / "gateway.toml").write_text(
        """
        [[endpoints]]
        name = "mine"
        provider = "mine"
        url = "http://127.0.0.1:9/v1"

        [[models]]
        name = "mine/old"
        quality = "standard"
        deprecated_on = 2020-01-01
        retires_on = 2999-01-01
        replacement = "mine/new"
        """
    )
    settings = {"MAINSPRING_GATEWAY_FILE": str(tmp_path / "gateway.toml"), "MAINSPRING_DATA_DIR": str(tmp_path)}
    answer = run(None, "models", "mine/old", **settings)
    assert answer.returncode == 0, answer.stderr
    assert "mine/old is deprecated, answers until 2999-01-01; use mine/new." in answer.stderr


def test_an_explanation_says_why_each_deployment_is_left_out(stack: RunningStack, firm: str):
    key = read(stack, "key", "create", firm)["secret"]
    taken = read(stack, "route", "explain", "--model", LOCAL, MAINSPRING_API_KEY=key)
    assert [each["model"] for each in taken["candidates"]] == [LOCAL]
    refused = run(stack, "route", "explain", "--model", "auto/premium", MAINSPRING_API_KEY=key)
    assert "its quality class is economy" in refused.stdout
    unknown = run(stack, "route", "explain", "--model", "nope", MAINSPRING_API_KEY=key)
    assert (unknown.returncode, "There is no model 'nope'" in unknown.stderr) == (1, True)


def test_gateways_run_beside_a_system_share_a_port_come_back_and_drain(stack: RunningStack, firm: str, tmp_path: Path):
    key = read(stack, "key", "create", firm)["secret"]
    with gateway_command(stack, "--port", "0", "--workers", "2") as (process, told):
        url = told["gateway_url"]
        assert told["workers"] == 2
        assert embed(url, key).status_code == 200
        taken = run(stack, "gateway", "--port", url.rpartition(":")[2])
        assert (taken.returncode, "is taken" in taken.stderr) == (1, True)
        first, second = sorted(children_of(process.pid))
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: len(children_of(process.pid) - {first}) == 2)
        assert second in children_of(process.pid)
        wait_until(lambda: all(answers(url, key) for _ in range(10)))
    assert process.returncode == 0
    with pytest.raises(httpx.ConnectError):
        embed(url, key)


async def test_a_held_port_is_for_our_own_gateways_and_taken_for_everyone_else():
    loop = asyncio.get_running_loop()
    with HeldPort.hold("127.0.0.1", 0) as held:
        servers = [
            await loop.create_server(asyncio.Protocol, "127.0.0.1", held.number, reuse_port=True) for _ in range(2)
        ]
        with HeldPort.hold("127.0.0.1", held.number) as other:
            assert other.was_taken
            assert other.number != held.number
        for server in servers:
            server.close()
            await server.wait_closed()
        assert not port_is_free(held.number), "it stays held while gateways are started again"
    with HeldPort.hold("127.0.0.1", held.number) as again:
        assert (again.was_taken, again.number) == (False, held.number)


@contextmanager
def gateway_command(stack: RunningStack, *arguments: str) -> Generator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "mainspring.entry.cli", "gateway", *arguments, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MAINSPRING_DATA_DIR": str(stack.settings.data_dir)},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        lines: list[str] = []
        while not lines or lines[-1] != "}":
            line = process.stdout.readline()
            assert line, process.stderr.read()
            lines.append(line.rstrip())
        yield process, json.loads("\n".join(lines))
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()
        process.stderr.close()


def children_of(pid: int) -> set[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return {int(line) for line in found.stdout.split()}


def answers(url: str, key: str) -> bool:
    try:
        return embed(url, key).status_code == 200
    except httpx.TransportError:
        return False

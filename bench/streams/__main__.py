"""The command: engines, one API process, one worker, the clients; directly and through nginx."""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.streams.listeners import Account, Order
from bench.streams.talker import MAX_RUNS, Talk, build_pipeline
from mainspring.application.identity import ROLE_PERMISSIONS, Identity, Role, operator
from mainspring.entry.supervisor import answers
from mainspring.foundation.db import Database
from mainspring.foundation.engines import ChildProcess, ChildSpec, EmbeddedEngines, EngineUrls, find_free_port
from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.valkey import open_valkey
from mainspring.migrations import migrate
from mainspring.orchestration.pipelines import Pipelines

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
_CONFIGURATION = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
  access_log off; proxy_http_version 1.1;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {upstream}; proxy_read_timeout 300s; }} }}
}}
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """clients read, idle ones do not; `runs` talk `rate` times a second for `seconds`."""

    clients: int
    idle: int
    runs: int
    rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Scene:
    """What runs: the API's address and process, a key, and the engines."""

    url: str
    api: ChildProcess
    key: str
    engines: EngineUrls
    tenant: TenantId


@contextmanager
def running(folder: Path) -> Generator[Scene]:
    """Engines, one API, one worker."""
    engines = EmbeddedEngines(folder / "data")
    with ExitStack() as opened:
        urls = engines.start()
        opened.callback(engines.stop)
        migrate(urls.database_admin_url, login=urls.login)
        port, ready = find_free_port(), folder / "ready"
        environment = {
            "MAINSPRING_DATA_DIR": str(folder / "api"),
            "MAINSPRING_DATABASE_URL": urls.database_url,
            "MAINSPRING_VALKEY_URL": urls.valkey_url,
            "MAINSPRING_MODELS_URL": "http://127.0.0.1:1/v1",
            "MAINSPRING_PORT": str(port),
            "MAINSPRING_READY_FILE": str(ready),
        }
        url = f"http://127.0.0.1:{port}"
        api = _child("api", "mainspring.entry.api", folder, environment, lambda: answers(f"{url}/readyz"))
        talker = _child("talker", "bench.streams.talker", folder, environment, ready.exists)
        for child in (api, talker):
            child.launch()
            opened.callback(child.stop)
        for child in (api, talker):
            child.await_ready()
        tenant, key = asyncio.run(_make_key(urls))
        yield Scene(url, api, key, urls, tenant)


def _child(
    name: str, module: str, folder: Path, environment: dict[str, str], is_ready: Callable[[], bool]
) -> ChildProcess:
    return ChildProcess(ChildSpec(name, (sys.executable, "-m", module), folder / f"{name}.log", is_ready, environment))


async def _make_key(urls: EngineUrls) -> tuple[TenantId, str]:
    database, valkey = await Database.open(urls.database_url, connections=2), open_valkey(urls.valkey_url)
    identity = Identity(database, valkey)
    try:
        tenant = await identity.create_tenant("bench", "Bench")
        made = await identity.keys.create(operator(tenant.id), name="bench", scopes=ROLE_PERMISSIONS[Role.OWNER])
        return tenant.id, made.secret
    finally:
        await identity.close()
        await valkey.aclose()
        await database.close()


async def _submit(scene: Scene, plan: Plan, begin_at: float) -> list[str]:
    database, valkey = await Database.open(scene.engines.database_url), open_valkey(scene.engines.valkey_url)
    try:
        pipelines, talk = Pipelines(database, valkey), build_pipeline()
        given = Talk(plan.rate, begin_at, plan.seconds)
        runs = [await pipelines.submit(scene.tenant, talk, given) for _ in range(plan.runs)]
        return [show_id("run", run.id) for run in runs]
    finally:
        await valkey.aclose()
        await database.close()


def measure(scene: Scene, plan: Plan, url: str) -> dict[str, object]:
    """One round against an address: delays, and how much the API grew."""
    runs = asyncio.run(_submit(scene, plan, time.time() + 3 + plan.clients / 400))
    host, port = url.removeprefix("http://").split(":")
    order = Order(
        host, int(port), scene.key, [f"/v1/runs/{run}/events" for run in runs], clients=plan.clients, idle=plan.idle
    )
    before, cpu = _memory_mb(scene.api), _cpu_seconds(scene.api)
    clients = subprocess.Popen(
        [sys.executable, "-m", "bench.streams.listeners"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    said, _ = clients.communicate(msgspec.json.encode(order) + b"\n", timeout=plan.seconds + 120)
    account = msgspec.json.decode(said.splitlines()[-1], type=Account)
    return {
        **msgspec.structs.asdict(account),
        "api_cpu_seconds": round(_cpu_seconds(scene.api) - cpu, 1),
        "api_mb_before": before,
        "api_mb_after": _memory_mb(scene.api),
    }


def _memory_mb(child: ChildProcess) -> float:
    """Resident memory of the process."""
    lines = Path(f"/proc/{child.pid}/status").read_text().splitlines()
    return round(int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024, 1)


def _cpu_seconds(child: ChildProcess) -> float:
    """Processor time that the process has used."""
    fields = Path(f"/proc/{child.pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def proxied(folder: Path, upstream: str) -> Generator[str]:
    """The address of an nginx before the API."""
    assert NGINX is not None
    port, configuration = find_free_port(), folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, upstream=upstream))
    server = ChildProcess(
        ChildSpec(
            "nginx",
            (NGINX, "-c", str(configuration), "-e", str(folder / "error.log")),
            folder / "nginx.log",
            lambda: answers(f"http://127.0.0.1:{port}/healthz"),
        )
    )
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="bench.streams", description="Many clients following runs on one API.")
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--idle", type=int, default=50, help="clients that never read")
    parser.add_argument("--runs", type=int, default=50, help=f"runs that are followed, {MAX_RUNS} at most")
    parser.add_argument("--rate", type=float, default=20, help="events a second of each run")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--short", action="store_true", help="100 clients for 3 seconds")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    plan = Plan(given.clients, given.idle, min(given.runs, MAX_RUNS), given.rate, given.seconds)
    if given.short:
        plan = Plan(100, 5, 10, 20, 3)
    rounds: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as name, running(Path(name)) as scene:
        rounds["directly"] = measure(scene, plan, scene.url)
        if NGINX:
            with proxied(Path(name), scene.url) as url:
                rounds["through nginx"] = measure(scene, plan, url)
    print(f"{plan.clients} clients, {plan.idle} more that never read, {plan.rate:g} events/s each, {plan.seconds:g} s")
    for way, found in rounds.items():
        print(f"{way:15} " + "  ".join(f"{name} {value}" for name, value in found.items()))
    if given.json:
        given.json.write_text(json.dumps(rounds, indent=1))
    sys.exit(any(found["broken"] or found["whole"] != plan.clients for found in rounds.values()))


if __name__ == "__main__":
    main()

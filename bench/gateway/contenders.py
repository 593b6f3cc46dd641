"""Who is measured: how it is started, and where it answers."""

import secrets
import shutil
import socket
import string
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from .processes import running

FAST, SLOW = "mock-fast", "mock-slow"
_CONFIGS = Path(__file__).with_name("configs")


class Absent(Exception):
    """It cannot be measured here; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """The mock, as the gateways see it.

    tls_port     the same behind TLS; 0 when there is none
    certificate  what its TLS certificate is checked with; it also stands for nothing where TLS is off
    private_key  of that certificate; a gateway that speaks TLS to its callers uses both
    """

    port: int
    tls_port: int = 0
    certificate: Path = Path("/dev/null")
    private_key: Path = Path("/dev/null")

    def url(self, *, with_tls: bool = False) -> str:
        """The base that OpenAI clients take."""
        return f"https://localhost:{self.tls_port}/v1" if with_tls else f"http://127.0.0.1:{self.port}/v1"


@dataclass(frozen=True, slots=True)
class Site:
    """What a contender is given: a folder of its own, the mock, its core, and that of the load generator."""

    folder: Path
    upstream: Upstream
    core: int
    load_core: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A started contender.

    processes   roots of its process trees; `engines` those of its databases, counted with them
    keys        API keys that the load generator sends in turn
    started_at  on the monotonic clock, just before its process began
    log         what its process printed
    """

    port: int
    path: str = "/v1/chat/completions"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    keys: tuple[str, ...] = ()
    fast_model: str = FAST
    slow_model: str = SLOW
    processes: tuple[int, ...] = ()
    engines: tuple[int, ...] = ()
    started_at: float = field(default_factory=time.monotonic)
    log: Path | None = None


class Contender(Protocol):
    """`name` is its row in the tables, `note` what it does per request, `runs` at most how often it is measured."""

    @property
    def name(self) -> str: ...

    @property
    def note(self) -> str: ...

    @property
    def runs(self) -> int: ...

    def start(self, site: Site) -> AbstractContextManager[Endpoint]:
        """Run for as long as the block; Absent when that is impossible here."""
        ...


@dataclass(frozen=True, slots=True)
class Direct:
    """No gateway: what the load generator and the mock do alone, which others are compared with."""

    name: str = "direct"
    note: str = "the load generator asks the mock itself; the ceiling of this machine"
    runs: int = 99

    @contextmanager
    def start(self, site: Site) -> Generator[Endpoint]:
        """Nothing to start."""
        yield Endpoint(site.upstream.port)


@dataclass(frozen=True, slots=True)
class Nginx:
    """nginx as a plain reverse proxy: no keys, no JSON, no limits."""

    with_tls: bool = False
    runs: int = 99

    @property
    def name(self) -> str:
        """Its row."""
        return "nginx TLS" if self.with_tls else "nginx"

    @property
    def note(self) -> str:
        """What it does."""
        return "plain reverse proxy" + (" to an upstream with TLS, certificate verified" if self.with_tls else "")

    @contextmanager
    def start(self, site: Site) -> Generator[Endpoint]:
        """One worker process."""
        upstream, port = site.upstream, find_free_port()
        values = {
            "port": port,
            "upstream_port": upstream.tls_port if self.with_tls else upstream.port,
            "scheme": "https" if self.with_tls else "http",
            "verify": "on" if self.with_tls else "off",
            "certificate": upstream.certificate,
        }
        with run_nginx("nginx.conf", site.folder, site.core, values) as process:
            yield Endpoint(port, processes=(process.pid,))


@contextmanager
def run_nginx(config: str, folder: Path, core: int, values: Mapping[str, object]) -> Generator[subprocess.Popen[bytes]]:
    """nginx with one of our configurations; Absent when it is not installed."""
    program = find_nginx()
    if program is None:
        raise Absent("nginx is not installed (on Debian: apt-get install nginx-light)")
    written = write_config(config, folder, values)
    with running((program, "-p", f"{folder}/", "-c", str(written)), core, folder / "nginx.log") as process:
        yield process


@dataclass(frozen=True, slots=True)
class TensorZero:
    """The Rust gateway in the wheel `tensorzero`, as its documentation starts it, without its databases."""

    interpreter: Path | None
    name: str = "TensorZero"
    note: str = "2026.6.0, Rust: observability off, no keys"
    runs: int = 99

    @contextmanager
    def start(self, site: Site) -> Generator[Endpoint]:
        """It picks its port and tells it in a file."""
        interpreter, told = _require(self.interpreter), site.folder / "url.txt"
        values = {"port": find_free_port(), "upstream_url": site.upstream.url()}
        config = write_config("tensorzero.toml", site.folder, values)
        command = (str(interpreter), str(_CONFIGS / "tensorzero_run.py"), str(config), str(told))
        began, environment = time.monotonic(), {"TOKIO_WORKER_THREADS": "1"}
        with running(command, site.core, site.folder / "tensorzero.log", environment) as process:
            while not told.exists() or not told.read_text():
                if process.poll() is not None or time.monotonic() - began > 60:
                    raise Absent(f"TensorZero did not start: {tail(site.folder / 'tensorzero.log')}")
                time.sleep(0.02)
            yield Endpoint(
                port=urlsplit(told.read_text()).port or 0,
                path="/openai/v1/chat/completions",
                fast_model=f"tensorzero::model_name::{FAST}",
                slow_model=f"tensorzero::model_name::{SLOW}",
                processes=(process.pid,),
                started_at=began,
            )


@dataclass(frozen=True, slots=True)
class LiteLlm:
    """The LiteLLM proxy with one worker on uvicorn, uvloop and httptools, with a master key and no database.

    Measured once: it takes minutes, and its figures are orders away from the others'.
    """

    interpreter: Path | None
    name: str = "LiteLLM proxy"
    note: str = "1.109.1: one master key, no database, no callbacks, production mode"
    runs: int = 1

    @contextmanager
    def start(self, site: Site) -> Generator[Endpoint]:
        """It takes some ten seconds to come up."""
        program, port = _require(self.interpreter).with_name("litellm"), find_free_port()
        config = write_config("litellm.yaml", site.folder, {"upstream_url": site.upstream.url()})
        key = f"sk-{secrets.token_hex(24)}"
        environment = {
            "LITELLM_MASTER_KEY": key,
            "LITELLM_MODE": "PRODUCTION",
            "LITELLM_LOG": "ERROR",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "NO_PROXY": "127.0.0.1,localhost",
        }
        command = (str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port))
        command = (*command, "--num_workers", "1")
        with running(command, site.core, site.folder / "litellm.log", environment) as process:
            log = site.folder / "litellm.log"
            yield Endpoint(port, headers={"Authorization": f"Bearer {key}"}, processes=(process.pid,), log=log)


@dataclass(frozen=True, slots=True)
class Command:
    """Any gateway: a command in which {port} and {upstream} are filled in; its key is `sk-bench`."""

    name: str
    command: str
    runs: int = 99

    @property
    def note(self) -> str:
        """The command itself."""
        return self.command

    @contextmanager
    def start(self, site: Site) -> Generator[Endpoint]:
        """Split at blanks; no shell."""
        port = find_free_port()
        upstream = f"127.0.0.1:{site.upstream.port}"
        words = tuple(word.format(port=port, upstream=upstream, python=sys.executable) for word in self.command.split())
        log = site.folder / "command.log"
        with running(words, site.core, log) as process:
            yield Endpoint(port, headers={"Authorization": "Bearer sk-bench"}, processes=(process.pid,), log=log)


def find_nginx() -> str | None:
    """The program, which is often outside an ordinary user's path."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def write_config(name: str, folder: Path, values: Mapping[str, object]) -> Path:
    """One of the files in `configs`, filled in."""
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / name
    written.write_text(string.Template((_CONFIGS / name).read_text()).substitute(values))
    return written


def find_free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tail(log: Path, lines: int = 3) -> str:
    """The end of a log, on one line."""
    return " | ".join(log.read_text(errors="replace").splitlines()[-lines:])[-400:] if log.exists() else "no log"


def _require(interpreter: Path | None) -> Path:
    if interpreter is None:
        raise Absent("its packages could not be installed (see .bench/peers.log)")
    return interpreter

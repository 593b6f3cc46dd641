"""The measuring rig: the load generator and the mock upstream, compiled here, on their own core."""

import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from .contenders import Absent, Endpoint, Upstream, find_free_port, find_nginx, run_nginx
from .processes import running
from .results import Load
from .scenarios import Scenario, request_body

_HERE = Path(__file__).parent


class Counts(msgspec.Struct):
    """What the mock has answered since it was last asked."""

    requests: int
    streams: int


@dataclass(frozen=True, slots=True)
class Rig:
    """A folder with both programs, and the mock that runs."""

    folder: Path
    core: int
    upstream: Upstream

    def load(self, scenario: Scenario, endpoint: Endpoint, *, most: int | None = None) -> Load:
        """Send the scenario for its `seconds`, or until `most` requests were sent."""
        body = self.folder / "body.json"
        body.write_bytes(request_body(scenario, endpoint.slow_model if scenario.is_slow else endpoint.fast_model))
        command = [
            *("taskset", "-c", str(self.core), str(self.folder / "loadgen")),
            *("--port", str(endpoint.port), "--path", endpoint.path, "--body", str(body), "--warmup", "0"),
            *("--conns", str(scenario.connections), "--rate", str(scenario.rate)),
            *("--duration", str(scenario.seconds)),
            *(word for name, value in endpoint.headers.items() for word in ("--header", f"{name}: {value}")),
            *(("--stream",) if scenario.is_streamed else ()),
            *(("--keys", str(self._keys(endpoint.keys))) if endpoint.keys else ()),
            *(("--max-requests", str(most)) if most else ()),
        ]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the load generator failed: {done.stderr.decode(errors='replace')}")
        return msgspec.json.decode(done.stdout.decode("utf-8", "replace"), type=Load)

    def take_counts(self) -> Counts:
        """What the mock has answered; it counts from 0 again."""
        url = f"http://127.0.0.1:{self.upstream.port}/__stats?reset=1"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return msgspec.json.decode(answer.read(), type=Counts)

    def _keys(self, keys: Sequence[str]) -> Path:
        path = self.folder / "keys.txt"
        path.touch(mode=0o600)
        path.write_text("\n".join(keys) + "\n")
        return path


@contextmanager
def open_rig(core: int, *, with_tls: bool) -> Generator[Rig]:
    """Compile, and run the mock (and TLS in front of it) for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="bench-gateway-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's worker is another user
        for program in ("mock_upstream", "loadgen"):
            _compile(program, folder)
        with _mock(folder, core) as port, _terminator(folder, core, port, with_tls=with_tls) as upstream:
            yield Rig(folder, core, upstream)


def _compile(program: str, folder: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        raise Absent("there is no C compiler (on Debian: apt-get install gcc libc6-dev)")
    subprocess.run((compiler, "-O2", "-o", str(folder / program), str(_HERE / f"{program}.c")), check=True)


@contextmanager
def _mock(folder: Path, core: int) -> Generator[int]:
    """One port; which profile answers is decided by the model that is asked for."""
    port = find_free_port()
    profiles = (f"{port}:name=mock-fast", f"{find_free_port()}:name=mock-slow,latency=60,interval=10")
    with running((str(folder / "mock_upstream"), *profiles), core, folder / "mock.log") as process:
        _await_port(f"http://127.0.0.1:{port}/health", process)
        yield port


@contextmanager
def _terminator(folder: Path, core: int, port: int, *, with_tls: bool) -> Generator[Upstream]:
    if not with_tls or find_nginx() is None or shutil.which("openssl") is None:
        yield Upstream(port)  # without a TLS port: who needs one reports that it cannot be measured
        return
    certificate, private_key = _make_certificate(folder)
    tls_port = find_free_port()
    values = {"port": tls_port, "upstream_port": port, "certificate": certificate, "private_key": private_key}
    with run_nginx("terminator.conf", folder / "terminator", core, values):
        yield Upstream(port, tls_port, certificate, private_key)


def _make_certificate(folder: Path) -> tuple[Path, Path]:
    program = shutil.which("openssl")
    if program is None:
        raise Absent("there is no openssl to make a certificate with")
    certificate, private_key = folder / "certificate.pem", folder / "private.pem"
    command = (
        *(program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        *("-keyout", str(private_key), "-out", str(certificate)),
    )
    subprocess.run(command, check=True, capture_output=True)
    return certificate, private_key


def _await_port(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise Absent("the mock upstream did not start") from None
            time.sleep(0.01)

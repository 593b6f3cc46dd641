"""One owner per data folder: takes the lock, starts both engines, keeps them alive, tells others their URLs.

The lock is a file lock of the kernel, so a killed owner never leaves a stale one. `engines.json`
names ports and passwords (mode 0600) for the other processes of the same folder.
"""

import fcntl
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import psycopg

from mainspring.foundation.engines import postgres, valkey
from mainspring.foundation.engines.process import ChildProcess, find_free_port
from mainspring.foundation.errors import Conflict


@dataclass(frozen=True, slots=True)
class EngineUrls:
    """Where the engines answer. `login` is the application's role and password, for the migration to create."""

    database_url: str
    database_admin_url: str
    valkey_url: str
    login: tuple[str, str] | None = None


class EmbeddedEngines:
    """Postgres and Valkey of one data folder, owned by this process."""

    def __init__(self, data_dir: Path, *, is_durable: bool = True) -> None:
        self._home = data_dir.resolve()
        self._is_durable = is_durable
        self._lock: int | None = None
        self.children: tuple[ChildProcess, ...] = ()

    def start(self) -> EngineUrls:
        """Start what is needed; Conflict when another process owns the folder."""
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock()
        remembered = _read_state(self._home / "engines.json")
        passwords = {name: str(remembered.get(name) or secrets.token_hex(16)) for name in ("admin", "login", "valkey")}
        ports = {name: find_free_port(int(remembered.get(name, 0))) for name in ("postgres_port", "valkey_port")}
        _write_state(self._home / "engines.json", {**passwords, **ports, "owner": os.getpid()})
        folder = postgres.PostgresFolder(
            self._home / "postgres",
            self._home / "logs/postgres.log",
            passwords["admin"],
            passwords["login"],
            self._is_durable,
        )
        postgres.prepare(folder)
        postgres.end_orphan(folder)
        self.children = (
            ChildProcess(postgres.child_spec(folder, ports["postgres_port"])),
            ChildProcess(
                valkey.child_spec(
                    self._home / "valkey", self._home / "logs/valkey.log", ports["valkey_port"], passwords["valkey"]
                )
            ),
        )
        for child in self.children:
            child.launch()
        for child in self.children:
            child.await_ready()
        _create_database(folder.admin_url(ports["postgres_port"], "postgres"))
        return _urls(passwords, ports, folder)

    def stop(self) -> None:
        """Stop both in good order and give the folder up."""
        for child in reversed(self.children):
            child.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_lock(self) -> None:
        self._lock = os.open(self._home / "engines.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            self._lock = None
            owner = _read_state(self._home / "engines.json").get("owner", "unknown")
            raise Conflict(
                f"{self._home} is in use by another Mainspring (process {owner}). "
                "Stop that one, or set MAINSPRING_DATA_DIR to another folder."
            ) from None


def find_running(data_dir: Path) -> EngineUrls | None:
    """The engines that another process runs in this folder, or None when nobody does."""
    home = data_dir.resolve()
    state = _read_state(home / "engines.json")
    if not state or not _is_locked(home / "engines.lock"):
        return None
    passwords = {name: str(state[name]) for name in ("admin", "login", "valkey")}
    ports = {name: int(state[name]) for name in ("postgres_port", "valkey_port")}
    folder = postgres.PostgresFolder(
        home / "postgres", home / "logs/postgres.log", passwords["admin"], passwords["login"]
    )
    return _urls(passwords, ports, folder)


def _urls(passwords: dict[str, str], ports: dict[str, int], folder: postgres.PostgresFolder) -> EngineUrls:
    return EngineUrls(
        database_url=folder.login_url(ports["postgres_port"]),
        database_admin_url=folder.admin_url(ports["postgres_port"]),
        valkey_url=f"redis://:{passwords['valkey']}@127.0.0.1:{ports['valkey_port']}/0",
        login=(postgres.LOGIN, passwords["login"]),
    )


def _create_database(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        question = "select 1 from pg_database where datname = %s"  # house: allow-sql-outside-store - no room is up yet
        found = connection.execute(question, (postgres.DATABASE,)).fetchone()
        if found is None:
            connection.execute("create database mainspring")


def _is_locked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _read_state(path: Path) -> dict[str, str | int]:
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def _write_state(path: Path, state: dict[str, str | int]) -> None:
    partial = path.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(state))
    partial.replace(path)

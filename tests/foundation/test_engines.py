"""The embedded engines: one owner per folder, nothing left behind, data kept."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from mainspring.foundation.engines import EmbeddedEngines, find_free_port, find_running, port_is_free
from mainspring.foundation.errors import Conflict

_OWNER = """
import pathlib, sys, time
from mainspring.foundation.engines import EmbeddedEngines
EmbeddedEngines(pathlib.Path(sys.argv[1]), is_durable=False).start()
print("ready", flush=True)
time.sleep(600)
"""


def wait_until(claim: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "the claim did not come true in time"
        time.sleep(0.02)


def _is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def test_data_and_ports_survive_a_stop_and_a_second_start(tmp_path: Path):
    first = EmbeddedEngines(tmp_path, is_durable=False)
    urls = first.start()
    with psycopg.connect(urls.database_admin_url, autocommit=True) as connection:
        connection.execute("create table kept (n integer)")
    first.stop()
    second = EmbeddedEngines(tmp_path, is_durable=False)
    try:
        assert second.start() == urls
        with psycopg.connect(urls.database_admin_url) as connection:
            assert connection.execute("select count(*) from kept").fetchone() == (0,)
    finally:
        second.stop()
    assert all(not child.is_running for child in second.children)


def test_a_second_owner_is_told_who_holds_the_folder(tmp_path: Path):
    first = EmbeddedEngines(tmp_path, is_durable=False)
    urls = first.start()
    try:
        with pytest.raises(Conflict, match=rf"process {os.getpid()}.*MAINSPRING_DATA_DIR"):
            EmbeddedEngines(tmp_path).start()
        assert find_running(tmp_path) == urls
    finally:
        first.stop()
    assert find_running(tmp_path) is None


def test_a_taken_port_is_worked_around(tmp_path: Path):
    first = EmbeddedEngines(tmp_path / "a", is_durable=False)
    second = EmbeddedEngines(tmp_path / "b", is_durable=False)
    taken = first.start()
    port = int(taken.database_url.rsplit(":", 1)[1].split("/")[0])
    (tmp_path / "b").mkdir()
    (tmp_path / "b/engines.json").write_text(json.dumps({"postgres_port": port}))
    try:
        urls = second.start()
        assert f":{port}/" not in urls.database_url
        with psycopg.connect(urls.database_admin_url) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        second.stop()
        first.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel signals orphans on Linux only")
def test_a_killed_owner_leaves_no_process_and_no_stale_lock(tmp_path: Path):
    owner = subprocess.Popen([sys.executable, "-c", _OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    with owner.stdout:
        assert owner.stdout.readline() == "ready\n"
        postmaster = int((tmp_path / "postgres/postmaster.pid").read_text().split()[0])
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    wait_until(lambda: _is_gone(postmaster))
    again = EmbeddedEngines(tmp_path, is_durable=False)
    again.start()
    again.stop()


def test_a_half_made_cluster_is_made_again(tmp_path: Path):
    (tmp_path / "postgres.making").mkdir()
    (tmp_path / "postgres.making/PG_VERSION").write_text("18")
    engines = EmbeddedEngines(tmp_path, is_durable=False)
    urls = engines.start()
    try:
        with psycopg.connect(urls.database_admin_url) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        engines.stop()


def test_a_free_port_is_really_free():
    assert port_is_free(find_free_port())

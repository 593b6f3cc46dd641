"""Events pass a stock nginx unbuffered: the first arrives while the run is still going on."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mainspring.application.identity import Role
from mainspring.entry.client import MainspringClient
from mainspring.foundation.engines import find_free_port
from mainspring.showcase.contracts import sample_path
from tests.scene import Scene

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason="no nginx on this machine")]

CONFIGURATION = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; client_max_body_size 60m; client_body_buffer_size 2m; proxy_max_temp_file_size 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {upstream}; }} }}
}}
"""


@pytest.fixture
def proxied(scene: Scene, tmp_path: Path) -> Iterator[str]:
    port = find_free_port()
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=tmp_path, port=port, upstream=scene.stack.url))
    server = subprocess.Popen([str(NGINX), "-c", str(configuration), "-e", str(tmp_path / "error.log")])
    deadline = time.monotonic() + 10
    while not _answers(port):
        assert time.monotonic() < deadline, (tmp_path / "error.log").read_text()
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def test_events_pass_nginx_while_the_run_goes_on(scene: Scene, proxied: str):
    with MainspringClient(proxied, scene.people[Role.OWNER].key) as client:
        submitted = client.upload_bytes(sample_path("msa.txt").read_bytes() + b"\nThrough a proxy.\n", "proxied.txt")
        events = client.events(submitted.run.id)
        first = next(events)
        assert client.get_run(submitted.run.id).status in ("queued", "running")
        rest = list(events)
    assert first.type in ("run.started", "snapshot")
    assert rest[-1].type == "run.finished"

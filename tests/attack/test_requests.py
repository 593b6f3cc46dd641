"""Requests that no honest client sends: no crash, no trace, no body kept that is over the limit."""

import base64
import json
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import httpx
import pytest

from tests.attack.conftest import Target

_PIECE = b"a" * 1_000_000


def _cursor(*key: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/contracts?q=a%00b",
        "/v1/runs?subject=a%00b",
        "/v1/playbooks/a%00b",
        "/v1/playbooks/a%00b/versions",
        "/v1/playbooks/buyer?version=99999999999",
        "/v1/playbooks/buyer?version=" + "9" * 400,
        "/v1/contracts/{contract}/findings?cursor=" + _cursor("9" * 12),
        "/v1/contracts?cursor=" + _cursor("0001-01-01T00:00:00+14:00", "0" * 32),
        "/v1/runs/{run}/events?after=9999999999-9999999999999999&wait=0",
        "/%00",
        "/" + "a" * 5000,
    ],
)
def test_values_that_no_column_can_hold_are_the_callers_mistake(target: Target, path: str):
    answer = target.call(
        "GET", path.format(contract=target.contract, run=target.run), headers={"accept": "application/json"}
    )
    assert answer.status_code < 500
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "\u202e", "'; drop table contract;--", "%(tenant)s"])
def test_no_text_in_any_field_makes_the_server_fail(target: Target, text: str):
    finding = f"/v1/contracts/{target.contract}/findings/{target.finding}"
    bodies = [
        ("PATCH", finding, {"decision": "dismissed", "reason": f"x{text}"}),
        ("PATCH", finding, {"decision": "edited", "reason": "x", "edited": {"title": text, "suggestion": text}}),
        ("POST", f"/v1/contracts/{target.contract}/runs", {"playbook": text}),
        ("PUT", "/v1/playbooks/x", {"yaml": f'name: "{text}"'}),
        ("POST", "/v1/api-keys", {"name": text}),
        ("PATCH", "/v1/tenant", {text: text}),
        ("POST", "/v1/members", {"email": f"{text}@example.com", "name": text, "role": "viewer", "password": text}),
        ("POST", "/v1/session", {"email": text, "password": text, "tenant": text}),
    ]
    for method, path, body in bodies:
        answer = target.call(method, path, content=json.dumps(body), headers={"content-type": "application/json"})
        assert answer.status_code < 500, (method, path)
        assert answer.headers["content-type"].startswith(("application/json", "application/problem+json"))


def test_a_key_that_ends_beyond_the_calendar_is_refused_and_spoils_no_list(target: Target):
    last = datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-14)))
    answer = target.call("POST", "/v1/api-keys", json={"name": "late", "expires_at": last.isoformat()})
    assert answer.status_code == 422
    assert target.call("GET", "/v1/api-keys").status_code == 200


def _send_in_chunks(target: Target, path: str, headers: str, *, megabytes: int) -> tuple[bytes, int]:
    """The head of the answer, and how much could be sent before it came."""
    place = urlsplit(target.stack.url)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=20) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n{headers}\r\n".encode())
        sent = 0
        connection.settimeout(0.2)
        for piece in _chunks(megabytes):
            try:
                connection.sendall(piece)
                sent += len(piece)
                connection.setblocking(False)
                if answer := connection.recv(4096):
                    return answer, sent
            except BlockingIOError:
                pass
            finally:
                connection.settimeout(20)
        connection.sendall(b"0\r\n\r\n")
        return connection.recv(4096), sent


def _chunks(megabytes: int) -> Iterator[bytes]:
    part = b'--zz\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    for piece in (part, *[_PIECE] * megabytes):
        yield b"%x\r\n%s\r\n" % (len(piece), piece)


def test_a_body_of_undeclared_length_is_cut_at_the_limit_before_anyone_signed_in(target: Target):
    answer, sent = _send_in_chunks(target, "/v1/session", "Content-Type: application/json\r\n", megabytes=40)
    assert answer.startswith(b"HTTP/1.1 413")
    assert sent < 30_000_000


def test_nobody_sends_files_without_a_credential(target: Target):
    form = "Content-Type: multipart/form-data; boundary=zz\r\n"
    answer, sent = _send_in_chunks(target, "/v1/contracts", form, megabytes=40)
    assert answer.startswith(b"HTTP/1.1 401")
    assert sent < 30_000_000


def test_an_upload_of_undeclared_length_is_cut_at_the_limit(target: Target):
    form = f"Content-Type: multipart/form-data; boundary=zz\r\nAuthorization: Bearer {target.owner.key}\r\n"
    answer, sent = _send_in_chunks(target, "/v1/contracts", form, megabytes=120)
    assert answer.startswith(b"HTTP/1.1 413")
    assert sent < 100_000_000


def test_a_declared_length_over_the_limit_is_refused_before_the_body(target: Target):
    place = urlsplit(target.stack.url)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=10) as connection:
        connection.sendall(
            b"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 99999999999\r\n\r\n{"
        )
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_a_thousand_parts_are_a_bad_request(target: Target):
    parts = [("file", (f"{number}.txt", b"x")) for number in range(1500)]
    assert target.call("POST", "/v1/contracts", files=parts).status_code == 400


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b'{"email":1e999}', b"null", b""])
def test_json_that_is_none_is_refused(target: Target, body: bytes):
    answer = httpx.post(f"{target.stack.url}/v1/session", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize(
    "name",
    ['a"\r\nset-cookie: x=1\r\n.txt', "\u202etxt.exe", "../../etc/passwd", "a\\..\\b.txt", "%0d%0a.txt", "é.txt"],
)
def test_a_file_name_cannot_leave_its_header(target: Target, name: str):
    uploaded = target.call("POST", "/v1/contracts", files={"file": (name, f"1. Term. {name}".encode())})
    assert uploaded.status_code == 202
    contract = uploaded.json()["contract"]
    answer = target.call("GET", f"/v1/contracts/{contract['id']}/file")
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert not set(contract["name"]) & set("/\\\r\n\u202e")


@pytest.mark.parametrize(
    "path",
    ["/..%2f..%2fpyproject.toml", "/assets/..%2f..%2f..%2fpyproject.toml", "/%2fetc%2fpasswd", "//etc/passwd"],
)
def test_the_console_serves_nothing_from_outside_its_folder(target: Target, path: str):
    answer = httpx.get(target.stack.url + path)
    assert answer.status_code == 404 or answer.headers["content-type"].startswith("text/html")
    assert "root:" not in answer.text
    assert "[project]" not in answer.text


def test_pages_run_our_files_only_and_answers_run_nothing(target: Target):
    page = httpx.get(f"{target.stack.url}/docs")
    data = target.call("GET", "/v1/contracts")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert "https://" not in page.text.replace(target.stack.url, "")
    assert data.headers["content-security-policy"].startswith("default-src 'none'")
    assert data.headers["cache-control"] == "no-store"
    for answer in (page, data, httpx.get(f"{target.stack.url}/v1/nowhere")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers


def test_an_address_in_a_header_does_not_reset_the_count_of_sign_ins(target: Target):
    def guess(number: int) -> int:
        body = {"email": f"guess{number}@example.com", "password": "wrong"}
        headers = {"x-forwarded-for": f"203.0.113.{number}"}
        return httpx.post(f"{target.stack.url}/v1/session", json=body, headers=headers).status_code

    assert 429 in {guess(number) for number in range(70)}

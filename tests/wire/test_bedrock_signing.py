"""Where Bedrock is asked and how a call proves who sends it: paths, signatures, keys."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.session import Session

from mainspring.inference.gateway.providers.bedrock import (
    AwsCredentials,
    BearerSigner,
    SigV4Signer,
    base_model,
    base_url,
    path_of,
)
from mainspring.inference.gateway.providers.profiles import profile_of
from mainspring.inference.gateway.providers.wire import to_json

from .test_bedrock_replies import REPLY, STREAM

Asked = tuple[str, dict[str, str], bytes]
"""Path, headers and body of a call."""

# The published suite for Signature Version 4: its key, its moment, and what it says the signatures are.
KEY = AwsCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
SESSION = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwth"
    "Ax7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAki"
    "Y9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
HOST = "https://example.amazonaws.com"
FORM = "application/x-www-form-urlencoded"


def suite_signer(credentials: AwsCredentials = KEY) -> SigV4Signer:
    return SigV4Signer(lambda: credentials, "us-east-1", "service")


@pytest.mark.parametrize(
    ("method", "url", "headers", "body", "names", "signature"),
    [
        ("GET", "/", {}, b"", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "/", {}, b"", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            *("GET", "/?Param2=value2&Param1=value1", {}, b"", ""),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            *("POST", "/", {"content-type": FORM}, b"Param1=value1", "content-type;"),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
    ids=["get-vanilla", "post-vanilla", "get-vanilla-query-order-key-case", "post-x-www-form-urlencoded"],
)
def test_signatures_are_those_of_the_published_suite(
    method: str, url: str, headers: dict[str, str], body: bytes, names: str, signature: str
) -> None:
    assert suite_signer().sign(method, HOST + url, headers, body, at=AT) == {
        "x-amz-date": "20150830T123600Z",
        "authorization": (
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            f"SignedHeaders={names}host;x-amz-date, Signature={signature}"
        ),
    }


@pytest.fixture
def vendor() -> Iterator[tuple[Any, list[Asked]]]:
    """The vendor's own client, and what it asked a server that answers in this dialect."""
    asked: list[Asked] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(STREAM if self.path.endswith("-stream") else to_json(REPLY))

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        session = Session()
        session.set_credentials("AKIDEXAMPLE", "secret", "session")
        url = f"http://127.0.0.1:{server.server_port}"
        client = session.create_client("bedrock-runtime", region_name="eu-west-1", endpoint_url=url)
        yield client, asked
        client.close()
        server.shutdown()


@pytest.mark.parametrize(
    "model",
    [
        "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2",
    ],
)
def test_the_vendors_own_client_asks_and_signs_as_we_do_and_reads_what_we_write(
    vendor: tuple[Any, list[Asked]], model: str
) -> None:
    client, asked = vendor
    messages = [{"role": "user", "content": [{"text": "Hi"}]}]
    assert client.converse(modelId=model, messages=messages)["stopReason"] == "tool_use"
    streamed = client.converse_stream(modelId=model, messages=messages)["stream"]
    assert [next(iter(event)) for event in streamed][-2:] == ["messageStop", "metadata"]
    assert [path for path, _, _ in asked] == [path_of(model, False), path_of(model, True)]
    signer = SigV4Signer(lambda: AwsCredentials("AKIDEXAMPLE", "secret", "session"), "eu-west-1")
    for path, headers, body in asked:
        names = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
        told = {name: headers[name] for name in names if name not in ("host", "x-amz-date", "x-amz-security-token")}
        at = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        mine = signer.sign("POST", f"http://{headers['host']}{path}", told, body, at=at)
        assert mine["authorization"] == headers["authorization"]


def test_temporary_credentials_send_and_sign_their_session() -> None:
    temporary = AwsCredentials(KEY.access_key, KEY.secret_key, SESSION)
    added = suite_signer(temporary).sign("POST", f"{HOST}/", {}, b"", at=AT)
    assert added["x-amz-security-token"] == SESSION
    assert added["authorization"].endswith(
        "SignedHeaders=host;x-amz-date;x-amz-security-token, "
        "Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
    )


def test_the_moment_is_told_in_utc_from_any_zone() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=9)))
    assert suite_signer().sign("GET", f"{HOST}/", {}, b"", at=elsewhere) == suite_signer().sign(
        "GET", f"{HOST}/", {}, b"", at=AT
    )


def test_each_call_is_signed_with_the_credentials_of_its_moment() -> None:
    keys = iter([AwsCredentials("FIRST", "a"), AwsCredentials("SECOND", "b", "session")])
    signer = SigV4Signer(lambda: next(keys), "eu-central-1")
    first = signer.sign("POST", f"{HOST}/", {}, b"x", at=AT)
    second = signer.sign("POST", f"{HOST}/", {}, b"x", at=AT)
    assert "Credential=FIRST/20150830/eu-central-1/bedrock/" in first["authorization"]
    assert "x-amz-security-token" not in first
    assert "Credential=SECOND/" in second["authorization"]
    assert second["x-amz-security-token"] == "session"


def test_a_signature_is_of_the_body_and_the_path() -> None:
    url = base_url("eu-central-1") + path_of("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", False)
    sign = suite_signer().sign
    made = {
        sign("POST", address, {}, body, at=AT)["authorization"]
        for address, body in ((url, b"{}"), (url, b"{ }"), (f"{url}-stream", b"{}"), (url, b"{}"))
    }
    assert len(made) == 3


def test_an_api_key_is_sent_as_it_is_now() -> None:
    keys = iter(["bedrock-api-key-1", "bedrock-api-key-2"])
    signer = BearerSigner(lambda: next(keys))
    assert [signer.sign("POST", f"{HOST}/", {}, b"", at=AT) for _ in range(2)] == [
        {"authorization": "Bearer bedrock-api-key-1"},
        {"authorization": "Bearer bedrock-api-key-2"},
    ]


def test_secrets_do_not_show() -> None:
    shown = repr(AwsCredentials("AKIDEXAMPLE", "the secret", "the session"))
    assert "AKIDEXAMPLE" in shown
    assert "the secret" not in shown
    assert "the session" not in shown


def test_botocore_is_loaded_by_the_first_signer_only() -> None:
    code = (
        "import sys; from mainspring.inference.gateway.providers import bedrock;"
        "assert not any(name.startswith('botocore') for name in sys.modules);"
        "bedrock.BearerSigner(lambda: 'k').sign('POST', 'https://a/', {}, b'', at=None);"
        "assert 'botocore' not in sys.modules;"
        "bedrock.SigV4Signer(lambda: bedrock.AwsCredentials('a', 'b'), 'eu-west-1');"
        "assert 'botocore' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("amazon.nova-lite-v1:0", "/model/amazon.nova-lite-v1%3A0/converse"),
        (
            "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
        ),
        (
            "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2",
            "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2/converse",
        ),
    ],
)
def test_a_model_is_asked_at_its_own_path(model: str, path: str) -> None:
    assert path_of(model, False) == path
    assert path_of(model, True) == f"{path}-stream"


def test_the_host_is_that_of_the_region() -> None:
    assert base_url("eu-central-1") == "https://bedrock-runtime.eu-central-1.amazonaws.com"
    assert base_url("cn-north-1") == "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"


@pytest.mark.parametrize(
    ("model", "base"),
    [
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("global.amazon.nova-2-lite-v1:0", "amazon.nova-2-lite-v1:0"),
        ("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"),
        (
            "arn:aws:bedrock:eu-west-1:123456789012:provisioned-model/a1b2",
            "arn:aws:bedrock:eu-west-1:123456789012:provisioned-model/a1b2",
        ),
    ],
)
def test_a_models_own_id_is_found_behind_profiles_and_arns(model: str, base: str) -> None:
    assert base_model(model) == base


def test_profiles_know_which_models_enforce_a_schema() -> None:
    known = {
        name: profile_of("bedrock", base_model(name)).json_schema
        for name in (
            "us.anthropic.claude-haiku-4-5-20251001-v1:0",
            "eu.anthropic.claude-sonnet-4-20250514-v1:0",
            "anthropic.claude-3-haiku-20240307-v1:0",
            "amazon.nova-pro-v1:0",
        )
    }
    assert list(known.values()) == [True, False, False, False]

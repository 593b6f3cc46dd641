"""The way to a provider: TLS that is verified, proxies, IPv6, and what the environment says of them."""

import asyncio
import os
import ssl
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from mainspring.foundation.errors import InvalidInput
from mainspring.inference.gateway.upstream import (
    Origin,
    Proxy,
    UpstreamGone,
    make_origin,
)
from tests.certificates import Authority
from tests.raw_provider import (
    ask,
    pooled,
    provider,
    then_close,
)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def _ask_once(origin: Origin) -> bytes:
    async with pooled(origin) as pool:
        return await ask(pool)


async def test_ipv6_with_and_without_tls(authority: Authority):
    for tls in (False, True):
        serving = authority.make("::1").serving() if tls else None
        async with provider("::1", serving) as playing:
            assert await _ask_once(Origin("::1", playing.port, authority.trusting() if tls else None)) == b"hi"
    assert make_origin("http://[::1]:8000/v1") == Origin("::1", 8000)


async def test_a_certificate_is_verified_and_nothing_is_sent_when_it_is_not_right(authority: Authority, tmp_path: Path):
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "stranger")
    cases = (
        (authority.make("localhost"), None),
        (authority.make("elsewhere.example"), "mismatch"),
        (authority.make("localhost", days=-1), "expired"),
        (other.make("localhost"), "unable to get local issuer"),
    )
    for certificate, reason in cases:
        async with provider("127.0.0.1", certificate.serving()) as playing:
            origin = Origin("localhost", playing.port, authority.trusting())
            if reason is None:
                assert await _ask_once(origin) == b"hi"
                continue
            with pytest.raises(UpstreamGone, match=f"certificate is refused.*{reason}"):
                await _ask_once(origin)
            assert playing.heads == []


async def test_a_provider_that_speaks_no_tls_gets_no_plain_text(authority: Authority):
    async with provider() as playing, pooled(Origin("127.0.0.1", playing.port, authority.trusting())) as pool:
        with pytest.raises(UpstreamGone, match="no connection"):
            await ask(pool, seconds=0.3)
        assert playing.heads == []


def test_the_authorities_of_the_environment_are_trusted(authority: Authority):
    room = "mainspring.inference.gateway.upstream"
    code = f"from {room} import make_origin\nprint(make_origin('https://x').tls.cert_store_stats())"
    environment = {**os.environ, "SSL_CERT_FILE": str(authority.file)}
    shown = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "'x509_ca': 1" in shown.stdout


def test_default_contexts_verify_names_and_chains():
    tls = make_origin("https://api.example").tls
    assert tls is not None
    assert tls.check_hostname
    assert tls.verify_mode is ssl.CERT_REQUIRED


async def test_plain_http_goes_through_a_proxy_by_its_whole_address():
    async with provider() as playing:
        origin = Origin("provider.example", 8000, proxy=Proxy("127.0.0.1", playing.port, "Basic YTpi"))
        async with pooled(origin) as pool:
            assert [await ask(pool), await ask(pool)] == [b"hi", b"hi"]
        assert playing.connections == 1
        assert playing.heads[1] == (
            b"POST http://provider.example:8000/v1?a=b HTTP/1.1\r\nProxy-Authorization: Basic YTpi\r\n"
            b"host: x\r\ncontent-length: 3\r\n\r\n"
        )


async def test_https_goes_through_a_tunnel_that_is_verified_to_its_end(authority: Authority):
    async with provider("127.0.0.1", authority.make("localhost").serving()) as playing, provider() as proxy:

        async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", playing.port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_pipe(reader, far_writer), _pipe(far_reader, writer))

        through = Proxy("127.0.0.1", proxy.port, "Basic YTpi")
        for host in ("localhost", "elsewhere.example"):
            proxy.script.append(join)
            async with pooled(Origin(host, 443, authority.trusting(), through)) as pool:
                if host == "localhost":
                    assert [await ask(pool), await ask(pool)] == [b"hi", b"hi"]
                    continue
                with pytest.raises(UpstreamGone, match="mismatch"):
                    await ask(pool)
        connect = b"CONNECT %b:443 HTTP/1.1\r\nHost: %b:443\r\nProxy-Authorization: Basic YTpi\r\n\r\n"
        assert proxy.heads == [connect % (host, host) for host in (b"localhost", b"elsewhere.example")]
        assert len(playing.heads) == 2


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(65536):
            writer.write(piece)
    writer.close()


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407"),
        (b"HTTP/1.1 200 OK\r\n\r\nplain", "before TLS"),
        (b"garbage\r\n\r\n", "the proxy answered"),
        (b"x" * 20_000, "too long"),
        (b"", "closed"),
    ],
)
async def test_a_proxy_that_makes_no_tunnel_is_an_error(wire: bytes, reason: str, authority: Authority):
    async with provider() as proxy:
        proxy.script.append(then_close(wire))
        async with pooled(Origin("x", 443, authority.trusting(), Proxy("127.0.0.1", proxy.port))) as pool:
            with pytest.raises(UpstreamGone, match=reason):
                await ask(pool)
            assert pool.connections == 0


def test_the_proxies_of_the_environment(monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert make_origin("https://api.example").proxy is None
    monkeypatch.setenv("HTTPS_PROXY", "http://us%40er:pass@proxy.example:3128")
    assert make_origin("https://api.example").proxy == Proxy("proxy.example", 3128, "Basic dXNAZXI6cGFzcw==")
    assert "dXNA" not in repr(make_origin("https://api.example"))
    assert make_origin("http://api.example").proxy is None
    monkeypatch.setenv("ALL_PROXY", "proxy.example")
    assert make_origin("http://api.example").proxy == Proxy("proxy.example", 80)
    monkeypatch.setenv("NO_PROXY", "other.example,.inside.example")
    for host in ("other.example", "a.inside.example", "localhost", "127.0.0.1", "[::1]"):
        assert make_origin(f"https://{host}").proxy is None
    monkeypatch.setenv("HTTPS_PROXY", "socks5://user:secret@proxy.example:1080")
    with pytest.raises(InvalidInput) as refused:
        make_origin("https://api.example")
    assert "secret" not in refused.value.detail


@pytest.mark.parametrize("address", ["ftp://x", "x", "http://", "http://x:99999", "http://[::1", "https://x:y"])
def test_what_is_no_address_of_a_provider_is_the_askers_mistake(address: str):
    with pytest.raises(InvalidInput, match="no address"):
        make_origin(address)

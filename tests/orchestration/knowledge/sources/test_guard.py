"""What a tenant's URL may reach: the public web, and nothing behind the operator's walls."""

import gzip
import socket
import zlib
from collections.abc import AsyncIterator, Collection
from ipaddress import ip_address
from pathlib import Path

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.webguard import is_public, may_be_internal
from mainspring.orchestration.knowledge.errors import FileTooLarge, SourceRefused, SourceUnreachable, UrlRefused
from mainspring.orchestration.knowledge.sources import (
    Credential,
    GuardLimits,
    NotModified,
    NotThere,
    WebDocument,
    WebGuard,
)
from tests.certificates import Authority

from .web import Page, Web, serving

INSIDE = "wiki.corp"


class Names:
    """A resolver of the test's own: each host answers its lists of addresses one after the other, the last for ever."""

    def __init__(self, **hosts: list[list[str]]) -> None:
        self.hosts = {name.replace("_", "."): list(answers) for name, answers in hosts.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Collection[str]:
        self.asked.append(host)
        if host not in self.hosts:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
            return [str(each[4][0]) for each in found]
        answers = self.hosts[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with serving() as running:
        yield running


def guard(web: Web, names: Names | None = None, *, internal: str = INSIDE, **limits: float) -> WebGuard:
    allowed = frozenset({f"{internal}:{web.port}"}) if internal else frozenset[str]()
    settings = GuardLimits(
        max_bytes=int(limits.get("max_bytes", 1_000_000)),
        seconds=limits.get("seconds", 10),
        extra_ports=frozenset({web.port}),
        internal_hosts=allowed,
    )
    return WebGuard(settings, resolver=names or Names(wiki_corp=[["127.0.0.1"]]))


def url(web: Web, path: str = "/page", host: str = INSIDE) -> str:
    return f"http://{host}:{web.port}{path}"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "169.254.1.1",
        "100.64.0.1", "100.100.100.200", "0.0.0.0", "0.1.2.3", "192.0.0.192", "192.0.2.1", "198.18.0.1",
        "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "168.63.129.16",
        "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:7f00:1", "64:ff9b::7f00:1",
        "64:ff9b::808:808", "64:ff9b:1::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2002:7f00:1::",
        "2002:808:808::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%1", "fec0::1", "ff02::1", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_of_the_public_internet_are_refused(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450::1"])
def test_addresses_of_the_public_internet_are_open(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "224.0.0.1", "0.0.0.0", "::ffff:10.0.0.1"])
def test_no_operator_opens_metadata_services_by_a_name(address: str) -> None:
    assert not may_be_internal(ip_address(address))
    assert may_be_internal(ip_address("10.0.0.7"))


@pytest.mark.parametrize(
    "text",
    [
        "file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "//example.com/", "example.com", "",
        "http://", "http:///x", "https://user:secret@example.com/", "https://user@example.com/",
        "https://example.com:22/", "https://example.com:6379/", "https://example.com:99999/", "https://example.com:x/",
        "https://exa mple.com/", "https://example.com/\n", "https://example.com\\@internal/", "https://[::1",
        "https://[::1]/", "http://127.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::ffff:7f00:1]/",
        "http://[fd00:ec2::254]/", "https://-.example.com/", "https://a..b/", "https://example.com/" + "x" * 2_000,
    ],
)  # fmt: skip
def test_urls_that_cannot_be_meant_well_are_refused_before_anything_is_asked(text: str) -> None:
    with pytest.raises(UrlRefused):
        WebGuard(GuardLimits()).check(text)


def test_a_url_is_read_the_same_way_for_the_check_and_for_the_request() -> None:
    read = WebGuard(GuardLimits()).check("HTTPS://Exämple.COM./a b".replace(" ", "%20") + "/ü?q=1#part")
    assert str(read) == "https://xn--exmple-cua.com/a%20b/%C3%BC?q=1"


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "localhost."])
async def test_other_spellings_of_this_machine_are_refused(host: str) -> None:
    names = Names(localhost=[["127.0.0.1", "::1"]])
    with pytest.raises(UrlRefused):
        await WebGuard(GuardLimits(), resolver=names).fetch(f"http://{host}/")


async def test_a_host_inside_is_refused_unless_the_operator_named_it(web: Web) -> None:
    web.pages["/page"] = Page(b"inside")
    with pytest.raises(UrlRefused) as caught:
        await guard(web, internal="").fetch(url(web))
    assert "127.0.0.1" not in caught.value.detail
    assert web.asked == []
    answer = await guard(web).fetch(url(web))
    assert isinstance(answer, WebDocument)
    assert answer.content == b"inside"


async def test_a_name_with_one_inner_address_among_public_ones_is_refused(web: Web) -> None:
    names = Names(evil_example=[["93.184.216.34", "127.0.0.1"]])
    with pytest.raises(UrlRefused):
        await guard(web, names).fetch(url(web, host="evil.example"))
    assert web.asked == []


async def test_a_name_that_turns_inward_after_the_check_gains_nothing(web: Web) -> None:
    """DNS rebinding: an allowed answer first, a forbidden one to whoever asks again. One fetch asks once."""
    web.pages["/page"] = Page(b"first")
    names = Names(wiki_corp=[["127.0.0.1"], ["169.254.169.254"]])
    rebound = guard(web, names)
    assert isinstance(await rebound.fetch(url(web)), WebDocument)
    assert names.asked == [INSIDE]
    with pytest.raises(UrlRefused):
        await rebound.fetch(url(web))
    assert web.paths() == ["/page"]


async def test_a_name_that_turns_inward_between_two_redirects_is_refused(web: Web) -> None:
    web.pages["/page"] = Page(status=302, headers={"location": "/next"})
    names = Names(wiki_corp=[["127.0.0.1"], ["169.254.169.254"]])
    with pytest.raises(UrlRefused):
        await guard(web, names).fetch(url(web))
    assert web.paths() == ["/page"]


async def test_the_connection_goes_to_the_address_that_was_judged(web: Web) -> None:
    """The name is known to the test's resolver only: whoever resolved it again would find nothing."""
    web.pages["/page"] = Page(b"found")
    answer = await guard(web).fetch(url(web))
    assert isinstance(answer, WebDocument)
    assert web.asked[0].headers["host"] == f"{INSIDE}:{web.port}"


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:{port}/secret", "http://inner.example:{port}/secret", "file:///etc/passwd",
               "http://{host}:25/", "http://a:b@{host}:{port}/secret", "//inner.example:{port}/secret"],
)  # fmt: skip
async def test_a_redirect_is_judged_like_any_url(web: Web, target: str) -> None:
    web.pages["/page"] = Page(status=302, headers={"location": target.format(port=web.port, host=INSIDE)})
    names = Names(wiki_corp=[["127.0.0.1"]], inner_example=[["10.0.0.1"]])
    with pytest.raises(UrlRefused):
        await guard(web, names).fetch(url(web))
    assert web.paths() == ["/page"]


async def test_five_redirects_are_followed_and_a_sixth_is_not(web: Web) -> None:
    for n in range(6):
        web.pages[f"/{n}"] = Page(status=307, headers={"location": f"/{n + 1}"})
    web.pages["/6"] = Page(b"end", headers={"content-type": "text/plain; charset=utf-8"})
    answer = await guard(web).fetch(url(web, "/1"))
    assert isinstance(answer, WebDocument)
    assert (answer.url.target, answer.media_type) == ("/6", "text/plain")
    with pytest.raises(SourceRefused):
        await guard(web).fetch(url(web, "/0"))


async def test_a_redirect_from_https_to_http_is_not_followed(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with serving(authority.make(INSIDE).serving()) as web:
        web.pages["/page"] = Page(status=301, headers={"location": f"http://{INSIDE}:{web.port}/other"})
        web.pages["/whole"] = Page(b"safe")
        limits = GuardLimits(internal_hosts=frozenset({f"{INSIDE}:{web.port}", f"other.corp:{web.port}"}))
        names = Names(wiki_corp=[["127.0.0.1"]], other_corp=[["127.0.0.1"]])
        guarded = WebGuard(limits, resolver=names, tls=authority.trusting())
        with pytest.raises(UrlRefused):
            await guarded.fetch(f"https://{INSIDE}:{web.port}/page")
        answer = await guarded.fetch(f"https://{INSIDE}:{web.port}/whole")
        assert isinstance(answer, WebDocument)
        with pytest.raises(SourceUnreachable):  # the certificate is of another name
            await guarded.fetch(f"https://other.corp:{web.port}/whole")


@pytest.mark.parametrize("headers", [{"etag": '"v1"'}, {"last-modified": "Mon, 02 Nov 2026 08:00:00 GMT"}])
async def test_what_is_known_already_is_not_sent_again(web: Web, headers: dict[str, str]) -> None:
    web.pages["/page"] = Page(b"text", headers=headers)
    first = await guard(web).fetch(url(web))
    assert isinstance(first, WebDocument)
    assert first.version
    assert await guard(web).fetch(url(web), known=first.version) == NotModified()
    web.pages["/page"] = Page(b"changed", headers={"etag": '"v2"'})
    assert isinstance(await guard(web).fetch(url(web), known=first.version), WebDocument)


async def test_what_is_not_there_is_told_apart_from_what_is_refused_and_what_may_come_back(web: Web) -> None:
    web.pages |= {"/gone": Page(status=410), "/no": Page(status=403), "/busy": Page(status=503)}
    web.pages["/slow"] = Page(status=429, headers={"retry-after": "7"})
    assert await guard(web).fetch(url(web, "/missing")) == NotThere()
    assert await guard(web).fetch(url(web, "/gone")) == NotThere()
    with pytest.raises(SourceRefused):
        await guard(web).fetch(url(web, "/no"))
    with pytest.raises(SourceUnreachable):
        await guard(web).fetch(url(web, "/busy"))
    with pytest.raises(SourceUnreachable) as caught:
        await guard(web).fetch(url(web, "/slow"))
    assert (caught.value.retryable, caught.value.retry_after_seconds) == (True, 7.0)


async def test_a_body_is_cut_off_at_the_limit_whether_it_is_announced_or_not(web: Web) -> None:
    web.pages |= {"/large": Page(b"x" * 2_001), "/endless": Page(b"x" * 500, endless=True), "/fits": Page(b"x" * 2_000)}
    small = guard(web, max_bytes=2_000)
    for path in ("/large", "/endless"):
        with pytest.raises(FileTooLarge):
            await small.fetch(url(web, path))
    assert isinstance(await small.fetch(url(web, "/fits")), WebDocument)


async def test_a_compressed_bomb_is_given_up_at_the_limit(web: Web) -> None:
    packed = {"content-encoding": "gzip"}
    web.pages["/bomb"] = Page(gzip.compress(bytes(50_000_000)), headers=packed)
    web.pages["/two"] = Page(gzip.compress(b"a" * 100_000) + gzip.compress(b"b"), headers=packed)
    web.pages["/deflated"] = Page(zlib.compress(b"text"), headers={"content-encoding": "deflate"})
    web.pages["/broken"] = Page(b"no gzip at all", headers=packed)
    web.pages["/strange"] = Page(b"x", headers={"content-encoding": "br"})
    with pytest.raises(FileTooLarge):
        await guard(web).fetch(url(web, "/bomb"))
    answer = await guard(web).fetch(url(web, "/two"))
    assert isinstance(answer, WebDocument)
    assert answer.content == b"a" * 100_000 + b"b"
    deflated = await guard(web).fetch(url(web, "/deflated"))
    assert isinstance(deflated, WebDocument)
    assert deflated.content == b"text"
    for path in ("/broken", "/strange"):
        with pytest.raises(SourceUnreachable):
            await guard(web).fetch(url(web, path))


async def test_a_server_that_never_finishes_is_left_at_the_time_limit(web: Web) -> None:
    web.pages["/hang"] = Page(b"begin", hang=True)
    with pytest.raises(SourceUnreachable):
        await guard(web, seconds=0.3).fetch(url(web, "/hang"))


async def test_a_host_without_address_is_unreachable(web: Web) -> None:
    with pytest.raises(SourceUnreachable):
        await guard(web, Names(gone_example=[[]])).fetch(url(web, host="gone.example"))


async def test_a_credential_goes_to_its_own_origin_only(web: Web) -> None:
    web.pages["/page"] = Page(status=302, headers={"location": f"http://other.corp:{web.port}/else"})
    web.pages["/else"] = Page(b"there")
    limits = GuardLimits(internal_hosts=frozenset({f"{INSIDE}:{web.port}", f"other.corp:{web.port}"}))
    names = Names(wiki_corp=[["127.0.0.1"]], other_corp=[["127.0.0.1"]])
    credential = Credential("Bearer secret", frozenset({f"http://{INSIDE}:{web.port}"}))
    await WebGuard(limits, resolver=names).fetch(url(web), credential=credential)
    assert [each.headers.get("authorization") for each in web.asked] == ["Bearer secret", None]


async def test_nothing_is_fetched_while_a_transaction_is_open(web: Web, database: Database, tenant: TenantId) -> None:
    async with database.tenant(tenant):
        with pytest.raises(RuntimeError, match="transaction is open"):
            await guard(web).fetch(url(web))

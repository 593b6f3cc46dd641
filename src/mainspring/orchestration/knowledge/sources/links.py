"""Where a page or a sitemap leads: links read from bytes of strangers, so with bounds and without a real XML parser's
entities."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from html import unescape
from html.parser import HTMLParser

from mainspring.foundation.webguard import WebAddress, follow
from mainspring.orchestration.knowledge.errors import UrlRefused

MAX_LINKS = 20_000
_MAX_CHARACTERS = 5_000_000
# Blanks are taken once and never given back (`*+`): a run of them would be tried in every division otherwise.
_LOCATION = re.compile(
    r"<(?:\w{1,20}:)?loc\s*+>\s*+(?:<!\[CDATA\[)?\s*+([^<>\s\]]{1,2000})\s*+(?:\]\]>)?\s*+</", re.IGNORECASE
)
_INDEX = re.compile(r"<(?:\w{1,20}:)?sitemapindex[\s>]", re.IGNORECASE)
_NOT_PAGES = re.compile(
    r"\.(?:png|jpe?g|gif|svg|webp|ico|css|js|mjs|json|woff2?|ttf|mp[34]|webm|zip|gz|exe|dmg)$", re.IGNORECASE
)


def page_links(page: WebAddress, content: bytes) -> Sequence[str]:
    """URLs of the same host that a page of HTML links to, in order, each once."""
    reader = _LinkReader()
    with suppress(AssertionError):  # how the parser gives up at a broken `<![`; links before it are known
        reader.feed(content[:_MAX_CHARACTERS].decode("utf-8", "replace"))
    base = page
    if reader.base:
        base = _try_follow(page, reader.base) or page
    return _same_host(page, base, reader.links)


def sitemap_links(sitemap: WebAddress, content: bytes) -> Sequence[str]:
    """URLs of the same host that a sitemap names, in order, each once."""
    text = content[:_MAX_CHARACTERS].decode("utf-8", "replace")
    return _same_host(sitemap, sitemap, (unescape(found[1]) for found in _LOCATION.finditer(text)))


def is_sitemap_index(content: bytes) -> bool:
    """Whether a sitemap names further sitemaps instead of pages."""
    return _INDEX.search(content[:10_000].decode("utf-8", "replace")) is not None


class _LinkReader(HTMLParser):
    """Collects what `a` and `area` elements point at, and the page's `base`."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.base: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        target = dict(attrs).get("href")
        if not target or len(self.links) >= MAX_LINKS:
            return
        if tag in ("a", "area"):
            self.links.append(target.strip())
        elif tag == "base" and self.base is None:
            self.base = target.strip()


def _same_host(page: WebAddress, base: WebAddress, targets: "Iterator[str] | Sequence[str]") -> Sequence[str]:
    found: dict[str, None] = {}
    for target in targets:
        address = _try_follow(base, target)
        if address is None or address.host != page.host or address.port != page.port:
            continue
        if not _NOT_PAGES.search(address.target.partition("?")[0]):
            found.setdefault(str(address))
        if len(found) >= MAX_LINKS:
            break
    return tuple(found)


def _try_follow(base: WebAddress, target: str) -> WebAddress | None:
    try:
        return follow(base, target)
    except UrlRefused:
        return None

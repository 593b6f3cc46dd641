"""The kind `url`: pages by URL, from a sitemap, and those that they link to."""

from asyncio import to_thread
from collections.abc import AsyncIterator, Mapping

from mainspring.foundation.errors import MainspringError
from mainspring.foundation.webguard import read_url
from mainspring.orchestration.knowledge.errors import InvalidSource, SourceRefused

from .guard import Answer, Credential, NotModified, NotThere, WebDocument, WebGuard
from .items import Content, EndOfListing, Fetched, Gone, Item, Listing, Unchanged
from .links import is_sitemap_index, page_links, sitemap_links
from .types import MAX_PAGES, MAX_URLS, UrlConfig

_SITEMAPS = 50
_KEPT_BYTES = 1_000_000  # of a page that was read for its links; a larger one is fetched again
_HTML = ("text/html", "application/xhtml+xml")
_ENDINGS: Mapping[str, str] = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "text/plain": ".txt",
    "application/pdf": ".pdf",
}


def check_urls(config: UrlConfig, secret: str | None, guard: WebGuard) -> None:
    """InvalidSource or UrlRefused unless the source can be fetched as far as its settings tell."""
    if not config.urls and config.sitemap is None:
        raise InvalidSource("The source names no page; give `urls`, a `sitemap`, or both.")
    if len(config.urls) > MAX_URLS:
        raise InvalidSource(f"The source names {len(config.urls)} URLs; the limit is {MAX_URLS}. Use a sitemap.")
    if not 1 <= config.max_pages <= MAX_PAGES:
        raise InvalidSource(f"max_pages is {config.max_pages}; it must be between 1 and {MAX_PAGES}.")
    for url in (*config.urls, *((config.sitemap,) if config.sitemap else ())):
        guard.check(url)
    if secret and not (secret.isascii() and secret.isprintable() and len(secret) <= 4_000):
        raise InvalidSource("The secret is sent as the header Authorization; use up to 4,000 printable characters.")


def origins_of(config: UrlConfig) -> frozenset[str]:
    """Schemes, hosts and ports that the source names, which its secret is sent to."""
    named = (*config.urls, *((config.sitemap,) if config.sitemap else ()))
    return frozenset(read_url(url).origin for url in named)


async def list_pages(config: UrlConfig, secret: str | None, guard: WebGuard) -> Listing:
    """Every page; not complete when a page that was to be read for links could not be, or there are too many."""
    pages = _Pages(config, secret, guard)
    async for item in pages:
        yield item
    yield EndOfListing(is_complete=pages.is_complete)


class _Pages:
    """The walk; each URL is told once."""

    def __init__(self, config: UrlConfig, secret: str | None, guard: WebGuard) -> None:
        self._config = config
        self._guard = guard
        self._credential = Credential(secret, origins_of(config)) if secret else None
        self._told: set[str] = set()
        self.is_complete = True

    async def __aiter__(self) -> AsyncIterator[Item]:
        further: list[str] = []
        for url in self._config.urls:
            address = str(self._guard.check(url))
            if self._config.follows_links and address not in self._told:
                fetched = await self._try_fetch(address)
                if fetched is not None and fetched.media_type in _HTML:
                    further.extend(await to_thread(page_links, fetched.url, fetched.content))
                if self._take(address):
                    is_kept = fetched is not None and len(fetched.content) <= _KEPT_BYTES
                    yield self._item(address, fetched if is_kept else None)
            elif self._take(address):
                yield self._item(address)
        if self._config.sitemap is not None:
            further.extend(await self._read_sitemap(self._config.sitemap))
        for address in further:
            if self._take(address):
                yield self._item(address)

    def _take(self, address: str) -> bool:
        if address in self._told:
            return False
        if len(self._told) >= self._config.max_pages:
            self.is_complete = False
            return False
        self._told.add(address)
        return True

    def _item(self, address: str, fetched: WebDocument | None = None) -> Item:
        async def fetch(known: str | None) -> Fetched:
            if fetched is None:
                return _read(await self._fetch(address, known))
            return Unchanged() if known is not None and known == fetched.version else _read(fetched)

        return Item(address, _name_of(address, ""), fetch, uri=address)

    async def _fetch(self, address: str, known: str | None = None) -> Answer:
        return await self._guard.fetch(address, known=known, credential=self._credential)

    async def _try_fetch(self, address: str) -> WebDocument | None:
        """The page, so that its links are known; what is wrong with it is told when it is fetched as an item."""
        try:
            answer = await self._fetch(address)
        except MainspringError:
            self.is_complete = False
            return None
        return answer if isinstance(answer, WebDocument) else None

    async def _read_sitemap(self, url: str) -> list[str]:
        root = await self._get_sitemap(url)
        if not is_sitemap_index(root.content):
            return list(await to_thread(sitemap_links, root.url, root.content))
        links: list[str] = []
        named = await to_thread(sitemap_links, root.url, root.content)
        self.is_complete = self.is_complete and len(named) <= _SITEMAPS
        for each in named[:_SITEMAPS]:
            part = await self._get_sitemap(each)
            links.extend(await to_thread(sitemap_links, part.url, part.content))
        return links

    async def _get_sitemap(self, url: str) -> WebDocument:
        answer = await self._fetch(url)
        if not isinstance(answer, WebDocument):
            raise SourceRefused(f"There is no sitemap at {url[:200]}; check its address.")
        return answer


def _read(answer: Answer) -> Fetched:
    match answer:
        case WebDocument():
            return Content(answer.content, answer.version, _name_of(str(answer.url), answer.media_type))
        case NotModified():
            return Unchanged()
        case NotThere():
            return Gone()


def _name_of(url: str, media_type: str) -> str:
    """What the page's file would be called, with the ending that its type has."""
    host, _, path = url.partition("://")[2].partition("/")
    last = path.partition("?")[0].rstrip("/").rpartition("/")[2] or host
    ending = _ENDINGS.get(media_type, "")
    return last if not ending or last.lower().endswith(ending) else last + ending

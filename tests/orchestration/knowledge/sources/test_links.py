"""Links read from bytes of strangers: in time, whatever they are."""

import time

import pytest

from mainspring.foundation.webguard import read_url
from mainspring.orchestration.knowledge.sources.links import page_links, sitemap_links

PAGE = read_url("https://docs.example/start")
MEBIBYTE = 1 << 20


@pytest.mark.parametrize("hostile", [b"<loc>", b"<loc>x", b"<loc><![CDATA[x", b"<loc "])
def test_a_sitemap_of_blanks_is_read_in_time(hostile: bytes) -> None:
    began = time.monotonic()
    assert not sitemap_links(PAGE, hostile + b" " * MEBIBYTE)
    assert not sitemap_links(PAGE, hostile * (MEBIBYTE // len(hostile)))
    assert time.monotonic() - began < 5  # it took hours


def test_locations_are_read_in_every_form_that_sitemaps_have() -> None:
    content = b"""<urlset><url><loc>https://docs.example/a</loc></url>
        <url><image:loc >  https://docs.example/b
        </image:loc></url><LOC><![CDATA[ https://docs.example/c?x=1&amp;y=2 ]]> </LOC>
        <loc>https://elsewhere.example/d</loc></urlset>"""
    expected = ("https://docs.example/a", "https://docs.example/b", "https://docs.example/c?x=1&y=2")
    assert sitemap_links(PAGE, content) == expected


@pytest.mark.parametrize("broken", [b"<![", b"<![if x", b"<!", b"<a href='", b"</", b"&#xffffffff;"])
def test_links_before_a_broken_place_are_known(broken: bytes) -> None:
    assert page_links(PAGE, b"<a href='next'>" + broken * 1_000) == ("https://docs.example/next",)

"""HTML: the main content as a reader sees it, with its headings, lists and tables.

Left out: navigation, scripts, forms, what is hidden by attribute or style (instructions
hide there), and the frame of the page around `<main>` where there is one. Nothing is
fetched: libxml2 builds the tree, and a tree is all it builds.
"""

import re

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - a compiled module without stubs

from .charsets import decode
from .limits import ParseLimits
from .pieces import Source
from .refusals import too_complex, too_many_characters
from .tables import shown_cell
from .web_blocks import PageReader
from .xml_tree import DEEPEST, Element, local

_CHARSET = re.compile(
    rb"<(?:meta|\?xml)\b[^>]{0,300}?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:\-]{2,40})", re.IGNORECASE
)
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]{0,500}>")
_LANGUAGE = re.compile(r"[A-Za-z]{2}(?=\Z|[-_])")
_HEAD_BYTES = 4096
_LEAST_MAIN = 200  # characters below which `<main>` is taken for a shell that a script fills


def read_web_page(content: bytes, *, filename: str, limits: ParseLimits) -> Source:
    """The content of a web page; raises FileTooLarge, TooComplex."""
    found = _CHARSET.search(content[:_HEAD_BYTES])
    text, warnings = decode(content, found[1].decode("ascii") if found else None)
    if len(text) > limits.max_characters:
        raise too_many_characters(filename, len(text), limits)
    root = read_html(text, filename=filename)
    if root is None:
        return Source("", (), warnings=warnings)
    main = _main(root)
    reader = PageReader(marks_headings=next(main.iter("h2", "h3", "h4"), None) is not None)
    reader.read(main)
    named = next((shown_cell("".join(each.itertext())) for each in root.iter("title")), "")
    language = _LANGUAGE.match(root.get("lang", "") or root.get("{http://www.w3.org/XML/1998/namespace}lang", ""))
    return Source(
        reader.builder.text(),
        tuple(reader.builder.pieces),
        warnings=warnings,
        title=reader.title() or named or None,
        language=language.group().lower() if language else None,
    )


def read_html(text: str, *, filename: str) -> Element | None:
    """The tree of a page, None when there is nothing in it; raises TooComplex when it is deeper than `DEEPEST`."""
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False, encoding="utf-8")
    body = _DECLARATION.sub("", text).replace("\x00", "").encode("utf-8", errors="replace")
    try:
        root: Element | None = etree.fromstring(body, parser) if body.strip() else None
    except etree.XMLSyntaxError:
        root = None
    if any("depth" in entry.message.lower() for entry in parser.error_log):
        raise too_complex(filename, f"nests its elements deeper than {DEEPEST} levels, the limit")
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise too_complex(filename, "holds an element that is longer than any page needs")
    return root


def _main(root: Element) -> Element:
    """The one `<main>` or `<article>` that holds the page's text, else the whole page."""
    for name in ("main", "article"):
        found = [each for each in root.iter() if local(each) == name or each.get("role", "") == name]
        if len(found) == 1 and len("".join(found[0].itertext()).strip()) >= _LEAST_MAIN:
            return found[0]
    return root

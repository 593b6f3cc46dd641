"""WordprocessingML as far as it is read: the namespace, and elements as a type (lxml brings none)."""

from collections.abc import Iterator
from typing import Protocol, cast

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - a compiled module without stubs

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


class Element(Protocol):
    """What is used of an lxml element. A comment or processing instruction has a tag that is no string."""

    @property
    def tag(self) -> object: ...
    @property
    def text(self) -> str | None: ...
    def get(self, key: str, default: str = "") -> str: ...
    def find(self, path: str) -> "Element | None": ...
    def iterfind(self, path: str) -> "Iterator[Element]": ...
    def iter(self, tag: str) -> "Iterator[Element]": ...
    def itertext(self, tag: str) -> Iterator[str]: ...
    def iterancestors(self) -> "Iterator[Element]": ...
    def __iter__(self) -> "Iterator[Element]": ...


def read_xml(content: bytes) -> Element:
    """The root element; entities stay unresolved and nothing is fetched. Raises lxml's XMLSyntaxError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    return cast(Element, etree.fromstring(content, parser))


def value_of(parent: Element | None, path: str) -> str | None:
    """The `w:val` of the element at `path` below `parent`, None where it is missing."""
    found = parent.find(path) if parent is not None else None
    return found.get(f"{W}val") or None if found is not None else None


def flag_of(parent: Element | None, path: str) -> bool | None:
    """An on/off property: present means on unless its value says off; None where it is missing."""
    found = parent.find(path) if parent is not None else None
    return None if found is None else found.get(f"{W}val", "true") not in ("0", "false", "off")


def number_of(parent: Element | None, path: str) -> int | None:
    """A whole-number property, None where it is missing or no number."""
    text = value_of(parent, path)
    return int(text) if text is not None and text.lstrip("-").isdigit() and len(text) < 10 else None

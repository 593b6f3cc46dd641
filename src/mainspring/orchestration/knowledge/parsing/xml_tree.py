"""XML and HTML trees of foreign files: nothing is fetched, nothing is expanded, nothing is deeper than 256 elements."""

from collections.abc import Iterator
from typing import Protocol, cast, overload

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - a compiled module without stubs

from mainspring.foundation.errors import MainspringError

from .refusals import broken, too_complex

DEEPEST = 256  # elements within elements; what libxml2 allows unless told otherwise


class Element(Protocol):
    """What is used of an lxml element. A comment or processing instruction has a tag that is no string."""

    @property
    def tag(self) -> object: ...
    @property
    def text(self) -> str | None: ...
    @property
    def tail(self) -> str | None: ...
    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: str) -> str: ...
    def items(self) -> "list[tuple[str, str]]": ...
    def find(self, path: str) -> "Element | None": ...
    def iterfind(self, path: str) -> "Iterator[Element]": ...
    def iter(self, *tags: str) -> "Iterator[Element]": ...
    def itertext(self, *tags: str) -> Iterator[str]: ...
    def iterancestors(self) -> "Iterator[Element]": ...
    def clear(self) -> None: ...
    def __iter__(self) -> "Iterator[Element]": ...
    def __len__(self) -> int: ...


def read_xml(content: bytes) -> Element:
    """The root element; entities stay unresolved and nothing is fetched. Raises lxml's XMLSyntaxError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    return cast(Element, etree.fromstring(content, parser))


def local(element: Element) -> str:
    """The name of an element without its namespace, which differs between the dialects of Office; "" of a comment."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def relation_id(element: Element) -> str:
    """The id of the relation that an element of an Office file points by; its plain `id` is another thing."""
    return next((value for key, value in element.items() if key.endswith("}id")), "")


def xml_refusal(error: Exception, filename: str, looks: str) -> MainspringError:
    """The refusal for XML that lxml would not read: too deep, or broken."""
    if "depth" in str(error).lower():
        return too_complex(filename, f"nests its elements deeper than {DEEPEST} levels, the limit")
    return broken(filename, looks, "its text is damaged")

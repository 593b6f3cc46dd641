"""WordprocessingML as far as it is read: its namespace and its properties."""

from .xml_tree import Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


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

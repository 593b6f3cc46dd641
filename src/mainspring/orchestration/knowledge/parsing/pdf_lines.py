"""A line of a PDF page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page. Places in points from the page's lower left corner; size is the height of its box."""

    text: str
    left: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    size: float = 0.0
    bold: bool = False

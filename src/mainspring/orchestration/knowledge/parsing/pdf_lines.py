"""A line of a PDF page, as the page is shown: turned and cropped."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of a line between wide blanks."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page. Places in points from the page's lower left corner; size is the height of its box.

    page_height  of the page it stands on; 0 where its place is not known
    cells        its stretches where wide blanks part it, two or more; empty for a line of one piece
    is_row       a whole row of a table, of several lines when its cells have several
    """

    text: str
    left: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    size: float = 0.0
    bold: bool = False
    page_height: float = 0.0
    cells: tuple[Cell, ...] = ()
    is_row: bool = False

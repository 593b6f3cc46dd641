"""Which possible numbers are numbers, and how deep they stand.

A stack holds the lists that are open, outermost first. A number continues an open list
(closing the deeper ones), or opens a new one below. The less a place suggests a clause
(the middle of a line, against the head of a paragraph), the better must the number fit
what came before: this is what keeps "Section 4.2 of the Lease" and "(i)" apart.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from .markers import Marker, Scheme


class Place(IntEnum):
    """Where a possible number stands, from weak to strong."""

    INLINE = 0
    LINE = 1
    PARAGRAPH = 2


@dataclass(frozen=True, slots=True)
class _List:
    scheme: Scheme
    form: str
    depth: int
    values: tuple[int, ...]


_GAP = {Place.INLINE: 1, Place.LINE: 2, Place.PARAGRAPH: 4}  # numbers that may be missing in a sequence, plus one
_LAST_FIRST_CLAUSE = 60  # no contract opens a list with a number above this


@dataclass(slots=True)
class Outline:
    """Follows the numbering of one document from its start to its end."""

    _open: list[_List] = field(default_factory=list[_List])
    _begun: bool = False

    def place(self, marker: Marker, place: Place) -> tuple[Marker, int] | None:
        """The marker in its right reading and its level (0 is outermost); None if it is no number here."""
        reading = self._reading(marker)
        if not self._fits(reading, place):
            return None
        if not self._begun and reading.scheme is Scheme.ANNEX:
            return reading, 0  # "Exhibit 10.2" over a whole filed contract holds nothing below it
        self._begun = True
        return reading, self._enter(reading)

    def close_letters(self) -> None:
        """Close lists of letters and what is below them, as an unnumbered main heading does."""
        self._truncate_at(lambda entry: entry.scheme in (Scheme.LETTER, Scheme.ROMAN))

    def _reading(self, marker: Marker) -> Marker:
        if marker.other is None:
            return marker
        return max((marker, marker.other), key=lambda reading: (self._continues(reading, 1), reading.values == (1,)))

    def _find(self, marker: Marker) -> int | None:
        for index in range(len(self._open) - 1, -1, -1):
            entry = self._open[index]
            if (entry.scheme, entry.form, entry.depth) == (marker.scheme, marker.form, len(marker.values)):
                return index
        return None

    def _continues(self, marker: Marker, gap: int) -> bool:
        """Whether the marker is the next of an open list, up to `gap` steps on."""
        index = self._find(marker)
        if index is not None:
            before = self._open[index].values
            if before[:-1] == marker.values[:-1] and 0 < marker.values[-1] - before[-1] <= gap:
                return True
        if marker.scheme is not Scheme.DECIMAL or marker.form == "()":
            return False
        if len(marker.values) == 1:
            return any(_is_step_up(entry, marker, gap) for entry in self._open)
        return self._continues_decimal(marker.values, gap)

    def _continues_decimal(self, values: tuple[int, ...], gap: int) -> bool:
        """4.2 may be followed by 4.2.1, 4.3, 5.1; 4. by 4.1 and 5.1; Article IV by 4.1."""
        for entry in reversed(self._open):
            if entry.scheme not in (Scheme.DECIMAL, Scheme.ARTICLE):
                continue
            last = entry.values
            shared = 0
            while shared < min(len(last), len(values)) and last[shared] == values[shared]:
                shared += 1
            step = values[shared:]
            if not step:
                return False
            ahead = step[0] - (last[shared] if shared < len(last) else 0)
            return 0 < ahead <= gap and all(value <= 1 for value in step[1:])
        return values[-1] == 1 and values[0] <= 1 + gap

    def _fits(self, marker: Marker, place: Place) -> bool:
        if marker.named and marker.scheme is not Scheme.DECIMAL:
            return place > Place.INLINE or self._continues(marker, 1)
        if self._continues(marker, _GAP[place]):
            return True
        if place is Place.PARAGRAPH:
            return self._may_open(marker)
        opens = marker.values[-1] == 1 and marker.values[0] <= _LAST_FIRST_CLAUSE
        if place is Place.LINE:
            return opens or marker.named
        return opens and (len(marker.values) == 2 or (marker.form == "." and not self._open))

    def _may_open(self, marker: Marker) -> bool:
        first = marker.values[0]
        if marker.named or len(marker.values) > 1:
            return first <= 2 * _LAST_FIRST_CLAUSE
        if marker.scheme is Scheme.DECIMAL or marker.form.startswith("("):
            return first <= _LAST_FIRST_CLAUSE
        return first == 1  # "J. Smith" is not the tenth item of a list

    def _enter(self, marker: Marker) -> int:
        self._close_for(marker)
        self._open.append(_List(marker.scheme, marker.form, len(marker.values), marker.values))
        return len(self._open) - 1

    def _close_for(self, marker: Marker) -> None:
        if marker.scheme is Scheme.ANNEX:
            self._open.clear()
            return
        if marker.scheme is Scheme.ARTICLE:
            self._truncate_at(lambda entry: entry.scheme is not Scheme.ANNEX)
            return
        index = self._find(marker)
        if index is not None:
            del self._open[index:]
        elif len(marker.values) > 1:
            self._truncate_at(lambda entry: not _may_hold(entry, len(marker.values)))
        elif marker.scheme is Scheme.DECIMAL:
            self._truncate_at(lambda entry: _is_step_up(entry, marker, _GAP[Place.PARAGRAPH]))

    def _truncate_at(self, closes: Callable[[_List], bool]) -> None:
        for index, entry in enumerate(self._open):
            if closes(entry):
                del self._open[index:]
                return


def _is_step_up(entry: _List, marker: Marker, gap: int) -> bool:
    """Whether "3." goes on after 2.11, where "2." itself never had a line."""
    return entry.scheme is Scheme.DECIMAL and entry.depth > 1 and 0 < marker.values[0] - entry.values[0] <= gap


def _may_hold(entry: _List, depth: int) -> bool:
    """Whether a decimal number of `depth` parts may stand below the list."""
    return entry.scheme in (Scheme.ANNEX, Scheme.ARTICLE) or (entry.scheme is Scheme.DECIMAL and entry.depth < depth)

"""Reads the fields of a rule one by one, noting what is wrong with each and going on.

A reader hands out every key at most once and remembers which it handed out; what is left in
the end is unknown and refused. A reader method returns None (or nothing) after noting a
problem, and the caller checks at the end.
"""

import re
from enum import StrEnum
from typing import TypeVar

from .categories import CATEGORY_NAMES
from .cues import Cue, InvalidCue, parse_cue
from .kinds import ContractKind
from .playbook_yaml import Fields, Items, Problems, Text, Value, listed, quoted, suggest
from .quantities import Quantity, parse_quantity
from .types import Severity

MAX_LIST = 100

_IDENTIFIER = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ENUM = TypeVar("_ENUM", bound=StrEnum)


class RuleReader:
    """The fields of one mapping; `path` is how messages name it, such as "rules[3]"."""

    def __init__(self, fields: Fields, path: str, problems: Problems) -> None:
        self._fields = fields
        self._path = path
        self._problems = problems
        self._taken = set[str]()
        self.line = fields.line

    def has(self, name: str) -> bool:
        """Whether the key was written at all."""
        return name in self._fields.values

    def take(self, name: str) -> Value | None:
        """The value of a key, None when it was not written."""
        self._taken.add(name)
        return self._fields.values.get(name)

    def complain(self, message: str) -> None:
        """Note a problem with the mapping as a whole."""
        self._problems.add(self.line, self._path, message)

    def refuse_others(self) -> None:
        """Note every key that was not taken, with the nearest one that could have been meant."""
        for name in self._fields.values:
            if name not in self._taken:
                hint = suggest(name, self._taken) or f" The keys here are {listed(sorted(self._taken))}."
                self._wrong(name, f"{quoted(name)} is not a key here.{hint}")

    def text(self, name: str, *, most: int, least: int = 1, is_required: bool = True) -> str | None:
        """A text with `least` to `most` characters, spaces at the ends removed."""
        value = self.take(name)
        if value is None:
            return self._missing(name) if is_required else None
        if not isinstance(value, Text):
            return self._wrong(name, "must be text, not a list or a mapping.")
        written = value.value.strip()
        if not least <= len(written) <= most:
            return self._wrong(name, f"{len(written)} characters; it needs {least} to {most:,}. Rewrite it.")
        return written

    def identifier(self, name: str) -> str | None:
        """A short name of lower-case letters, digits and single hyphens."""
        written = self.text(name, most=64)
        if written is not None and not _IDENTIFIER.fullmatch(written):
            message = (
                f"{quoted(written)} is not a name; use lower-case letters, digits and hyphens, like liability-cap."
            )
            return self._wrong(name, message)
        return written

    def choice(self, name: str, options: type[_ENUM], *, is_required: bool = True) -> _ENUM | None:
        """One member of an enumeration."""
        written = self.choice_of(name, tuple(option.value for option in options), is_required=is_required)
        return options(written) if written is not None else None

    def choice_of(self, name: str, options: tuple[str, ...], *, is_required: bool = True) -> str | None:
        """One of the words in `options`."""
        written = self.text(name, most=200, is_required=is_required)
        if written is None or written in options:
            return written
        return self._wrong(name, f"{quoted(written)} is not one of {listed(options)}.{suggest(written, options)}")

    def severity(self) -> Severity | None:
        """How bad it is."""
        return self.choice("severity", Severity)

    def category(self) -> str | None:
        """One of the 38 categories, if any."""
        written = self.text("category", most=200, is_required=False)
        return written if written is None or self._is_category("category", written, self.line_of("category")) else None

    def categories(self, name: str) -> tuple[str, ...]:
        """A list of categories, empty when it was not written."""
        return tuple(
            text.value
            for place, text in self._list(name)
            if self._is_category(f"{name}[{place}]", text.value, text.line)
        )

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of short texts, empty when it was not written."""
        found = list[str]()
        for place, text in self._list(name):
            written = text.value.strip()
            if 1 <= len(written) <= 200:
                found.append(written)
            else:
                self._problems.add(text.line, self._full(f"{name}[{place}]"), "needs 1 to 200 characters.")
        return tuple(found)

    def cues(self, name: str) -> tuple[Cue, ...]:
        """A list of cues, empty when it was not written."""
        found = list[Cue]()
        for place, text in self._list(name):
            try:
                found.append(parse_cue(text.value))
            except InvalidCue as error:
                message = f"{quoted(text.value)} is not a cue: {error}."
                self._problems.add(text.line, self._full(f"{name}[{place}]"), message)
        return tuple(found)

    def quantity(self, name: str) -> Quantity | None:
        """A quantity such as "12 months of fees", None when it was not written."""
        written = self.text(name, most=60, is_required=False)
        found = parse_quantity(written) if written is not None else None
        if written is not None and found is None:
            forms = '"60 days", "12 months", "12 months of fees" or "5 percent"'
            self._wrong(name, f"{quoted(written)} is not a quantity; write it like {forms}.")
        return found

    def applies_to(self) -> frozenset[ContractKind]:
        """The kinds named in applies_to, or all but those in except_for."""
        named, others = self._kinds("applies_to"), self._kinds("except_for")
        if self.has("applies_to") and self.has("except_for"):
            self._wrong("except_for", "cannot stand beside applies_to. Keep one of them.")
        if self.has("except_for") and others == frozenset(ContractKind):
            self._wrong("except_for", "names every kind, so the rule would never apply.")
        return named if self.has("applies_to") else frozenset(ContractKind) - others

    def line_of(self, name: str) -> int:
        """The line of a key, or of the mapping when it was not written."""
        return self._fields.key_lines.get(name, self.line)

    def _kinds(self, name: str) -> frozenset[ContractKind]:
        options, found = tuple(kind.value for kind in ContractKind), set[ContractKind]()
        for place, text in self._list(name):
            if text.value in options:
                found.add(ContractKind(text.value))
                continue
            message = f"{quoted(text.value)} is not one of {listed(options)}.{suggest(text.value, options)}"
            self._problems.add(text.line, self._full(f"{name}[{place}]"), message)
        return frozenset(found)

    def _list(self, name: str) -> list[tuple[int, Text]]:
        value = self.take(name)
        if value is None:
            return []
        if not isinstance(value, Items) or not value.values:
            self._wrong(name, "must be a list with at least one entry, each on a line that begins with -.")
            return []
        if len(value.values) > MAX_LIST:
            self._wrong(name, f"{len(value.values)} entries; the limit is {MAX_LIST}. Shorten the list.")
            return []
        found = list[tuple[int, Text]]()
        for place, entry in enumerate(value.values):
            if isinstance(entry, Text) and entry.value.strip():
                found.append((place, entry))
            else:
                self._problems.add(entry.line, self._full(f"{name}[{place}]"), "must be text, and not empty.")
        return found

    def _is_category(self, name: str, written: str, line: int) -> bool:
        if written in CATEGORY_NAMES:
            return True
        hint = suggest(written, CATEGORY_NAMES) or " The reference of playbooks lists all 38."
        self._problems.add(line, self._full(name), f"{quoted(written)} is not one of the 38 categories.{hint}")
        return False

    def _missing(self, name: str) -> None:
        self._problems.add(self.line, self._full(name), f"is missing. Add a line {name}: ...")

    def _wrong(self, name: str, message: str) -> None:
        self._problems.add(self.line_of(name), self._full(name), message)

    def _full(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

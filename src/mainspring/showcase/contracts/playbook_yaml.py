"""YAML as a tree of places: every value knows its line, and every complaint is collected.

Nothing of YAML's machinery reaches the reader: no tags, anchors or aliases (a few lines of them
expand to gigabytes), no second document, no deep nesting, no repeated keys. Scalars stay text;
the fields that read them decide what they mean, so `id: no` is the word "no".
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

MAX_CHARACTERS = 200_000
MAX_DEPTH = 8
MAX_VALUES = 20_000

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar; `value` is what was written, without quotes."""

    line: int
    value: str


@dataclass(frozen=True, slots=True)
class Items:
    """A sequence."""

    line: int
    values: tuple["Value", ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping; keys keep the line on which they stand."""

    line: int
    values: dict[str, "Value"]
    key_lines: dict[str, int]


Value: TypeAlias = Text | Items | Fields


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, in which field, with what value, and what to do.

    line   1-based
    field  such as "rules[3].severity"; empty for the file itself
    """

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}, {self.field}" if self.field else f"line {self.line}"
        return f"{place}: {self.message}"


@dataclass(slots=True)
class Problems:
    """Collects problems while reading goes on."""

    found: list[Problem] = field(default_factory=list[Problem])

    def add(self, line: int, name: str, message: str) -> None:
        """Note one problem."""
        self.found.append(Problem(line, name, message))


def read_yaml(text: str, problems: Problems) -> Value | None:
    """The tree of one YAML document; None, with problems noted, when it cannot be read safely."""
    if len(text) > MAX_CHARACTERS:
        message = f"{len(text):,} characters; a playbook has at most {MAX_CHARACTERS:,}. Split it or shorten it."
        problems.add(1, "", message)
        return None
    try:
        if not _is_plain(text, problems):
            return None
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        problems.add(_line_of(error), "", f"this is not YAML: {_reason(error)}. Check indentation, quotes and colons.")
        return None
    if node is None:
        problems.add(1, "", "the file is empty. Start from a default playbook, such as buyer or vendor.")
        return None
    return _value(node, "", problems)


def suggest(written: str, known: Iterable[str]) -> str:
    """ " Did you mean 'severity'?" when one of the known words is close, else nothing."""
    near = difflib.get_close_matches(
        written[:60].casefold(), {word.casefold(): word for word in known}, n=1, cutoff=0.6
    )
    names = {word.casefold(): word for word in known} if near else {}
    return f" Did you mean {names[near[0]]!r}?" if near else ""


def quoted(written: str) -> str:
    """A value as shown in a message, cut short."""
    return repr(written if len(written) <= 60 else f"{written[:57]}...")


def listed(words: Sequence[str]) -> str:
    """ "critical, high or low"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _is_plain(text: str, problems: Problems) -> bool:
    """Walk the events, which the parser yields without recursion, before any tree is built."""
    depth = documents = 0
    before = len(problems.found)
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            problems.add(line, "", "anchors and aliases (& and *) are not allowed. Write the value out, or quote it.")
        elif getattr(event, "tag", None):
            problems.add(line, "", f"the tag {quoted(str(event.tag))} is not allowed. Remove it.")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > MAX_DEPTH:
            problems.add(line, "", f"nested more than {MAX_DEPTH} levels deep. A playbook needs four.")
        if documents > 1:
            problems.add(line, "", "a second document begins here. A playbook is one document; remove the line ---.")
        if count > MAX_VALUES:
            problems.add(line, "", f"more than {MAX_VALUES:,} values. Split the playbook.")
        if len(problems.found) > before:
            return False
    return True


def _value(node: yaml.Node, path: str, problems: Problems) -> Value:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return Text(line, str(node.value))
    if isinstance(node, yaml.SequenceNode):
        return Items(line, tuple(_value(child, f"{path}[{place}]", problems) for place, child in enumerate(node.value)))
    values, lines = dict[str, Value](), dict[str, int]()
    for key, child in node.value if isinstance(node, yaml.MappingNode) else ():
        place = key.start_mark.line + 1
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
        full = f"{path}.{name}" if path else name
        if name in values:
            problems.add(place, full, f"the key {quoted(name)} stands twice, first on line {lines[name]}. Keep one.")
        values[name], lines[name] = _value(child, full, problems), place
    return Fields(line, values, lines)


def _line_of(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return mark.line + 1 if mark is not None else 1


def _reason(error: yaml.YAMLError) -> str:
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    return " ".join(str(reason).split())[:200]

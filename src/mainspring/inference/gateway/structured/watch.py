"""A reply watched while it comes: the first piece after which it can no longer become valid is told.

A pushdown reader follows the JSON; beside each open value stand the subschemas that apply to it
in any case (through properties, items, allOf and local references). Of those only `type`, `enum`,
`const`, `required`, `additionalProperties: false` and `maxItems` are held against it: each alone
makes the whole reply invalid, so there is no false alarm. What depends on alternatives, patterns
or counts is left to the full check at the end. A name given twice in one object is a violation
here: which of the two counts is not agreed among readers of JSON.
"""

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, cast

import msgspec

from .check import Fit, Misfit, Violation, check, pointer_to
from .compiled import SCHEMAS, CompiledSchema, Schema
from .cost import nodes_of
from .references import Node, References

_MAX_OPEN = 250
_MOST_NODES = 64
_FOLLOWED = ("https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2019-09/schema")
_BODY = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_ESCAPE_START = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")
_BARE = re.compile(r"[-+.0-9A-Za-z]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NUMBER_START = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:(?<=[0-9])[eE][+-]?[0-9]*)?)?")
_WORDS = {"true": True, "false": False, "null": None}
_SPACE = " \t\n\r"


class _At(Enum):
    START = auto()
    VALUE = auto()
    FIRST_ITEM = auto()
    FIRST_NAME = auto()
    NAME = auto()
    COLON = auto()
    NEXT = auto()
    END = auto()


@dataclass(slots=True)
class _Open:
    """An object or array that has not ended."""

    nodes: tuple[Node, ...]
    is_object: bool
    names: set[str] = field(default_factory=set[str])
    step: str | int = 0
    items: int = 0


class _AlarmError(Exception):
    def __init__(self, problem: str, *, is_json: bool = True) -> None:
        super().__init__(problem)
        self.is_json = is_json


class Watcher:
    """Feed it the text as it comes; the first alarm stays. `finish` is the full check of all that came."""

    def __init__(self, schema: Schema | CompiledSchema) -> None:
        self._compiled = schema if isinstance(schema, CompiledSchema) else SCHEMAS.compile(schema)
        self._references = self._compiled.burden.references
        self._pieces: list[str] = []
        self._rest = ""
        self._at = _At.START
        self._stack: list[_Open] = []
        self._nodes = _all_of(self._references, [cast("Node", self._compiled.schema)])
        self._string: list[str] | None = None
        self._is_blind = False
        self._alarm: Misfit | None = None
        if self._compiled.schema.get("$schema", _FOLLOWED[0]).rstrip("#") not in _FOLLOWED:
            self._nodes = ()

    @property
    def text(self) -> str:
        """Everything that came."""
        return "".join(self._pieces)

    def feed(self, piece: str) -> Misfit | None:
        """The reason why the text so far can no longer become valid; None while it can."""
        self._pieces.append(piece)
        if self._alarm is None and not self._is_blind:
            text, self._rest = self._rest + piece, ""
            try:
                self._rest = text[self._read(text) :]
            except _AlarmError as alarm:
                where = pointer_to([inner.step for inner in self._stack])
                self._alarm = Misfit((Violation(where, str(alarm)),), is_json=alarm.is_json)
        return self._alarm

    def finish(self) -> Fit | Misfit:
        """The value, or what is wrong with the whole text."""
        verdict = check(self._compiled, self.text)
        return self._alarm or verdict if isinstance(verdict, Fit) else verdict

    def _read(self, text: str) -> int:
        """Read all whole tokens; the place from which on text must wait for more."""
        place = 0
        while place < len(text) and not self._is_blind:
            if self._string is not None:
                after = self._read_string(text, place)
            elif text[place] in _SPACE or (self._at in (_At.START, _At.END) and text[place].isspace()):
                after = place + 1
            else:
                after = self._read_token(text, place)
            if after == place:
                break
            place = after
        return place

    def _read_token(self, text: str, place: int) -> int:
        letter = text[place]
        if self._at is _At.START and letter == "`":
            self._is_blind = True
            return len(text)
        match self._at:
            case _At.START | _At.VALUE:
                return self._begin_value(text, place)
            case _At.FIRST_ITEM:
                if letter == "]":
                    return self._close(place)
                self._begin_item()
                return self._begin_value(text, place)
            case _At.FIRST_NAME if letter == "}":
                return self._close(place)
            case _At.FIRST_NAME | _At.NAME if letter == '"':
                self._string = []
                return place + 1
            case _At.COLON if letter == ":":
                self._at = _At.VALUE
                return place + 1
            case _At.NEXT if letter == ("}" if self._stack[-1].is_object else "]"):
                return self._close(place)
            case _At.NEXT if letter == ",":
                return self._next(place)
            case _At.END:
                raise _AlarmError("something follows the JSON value", is_json=False)
            case _:
                raise _AlarmError(f"{letter!r} is not JSON here", is_json=False)

    def _begin_value(self, text: str, place: int) -> int:
        letter = text[place]
        if letter in "{[":
            self._must_be("object" if letter == "{" else "array")
            if len(self._stack) >= _MAX_OPEN:
                raise _AlarmError("it is nested too deep")
            self._stack.append(_Open(self._nodes, letter == "{"))
            self._at = _At.FIRST_NAME if letter == "{" else _At.FIRST_ITEM
            return place + 1
        if letter == '"':
            self._must_be("string")
            self._at, self._string = _At.VALUE, []
            return place + 1
        return self._read_bare(text, place)

    def _read_bare(self, text: str, place: int) -> int:
        """A number or one of the three words; whole only when something follows it."""
        found = _BARE.match(text, place)
        token = found.group() if found else ""
        end = place + len(token)
        if not token:
            raise _AlarmError(f"{text[place]!r} is not JSON here", is_json=False)
        may_grow = end == len(text)
        is_number = (_NUMBER_START if may_grow else _NUMBER).fullmatch(token) is not None
        is_word = any(word == token or (may_grow and word.startswith(token)) for word in _WORDS)
        if not (is_number or is_word):
            raise _AlarmError(f"{token[:20]!r} is not JSON", is_json=False)
        self._must_be("number" if is_number else "null" if token[0] == "n" else "boolean")
        if may_grow:
            return place
        self._must_equal(_read_number(self._nodes, token) if is_number else _WORDS[token])
        self._end_value()
        return end

    def _read_string(self, text: str, place: int) -> int:
        assert self._string is not None
        body = _BODY.match(text, place)
        end = body.end() if body else place
        self._string.append(text[place:end])
        if end == len(text):
            return end
        if text[end] == '"':
            self._end_string("".join(self._string))
            return end + 1
        if escape := _ESCAPE.match(text, end):
            self._string.append(escape.group())
            return escape.end()
        if text[end] == "\\" and _ESCAPE_START.fullmatch(text, end):
            if end > place:
                return end
            return place
        raise _AlarmError("a string holds what JSON does not allow", is_json=False)

    def _end_string(self, body: str) -> None:
        self._string = None
        is_name = self._at in (_At.FIRST_NAME, _At.NAME)
        try:
            value = str(msgspec.json.decode(f'"{body}"')) if is_name or self._has_choices() else None
        except (msgspec.DecodeError, UnicodeEncodeError):  # half a surrogate pair; the full check decides
            self._is_blind = True
            return
        if is_name and value is not None:
            self._begin_member(value)
            return
        if value is not None:
            self._must_equal(value)
        self._end_value()

    def _has_choices(self) -> bool:
        return any("enum" in node or "const" in node for node in self._nodes)

    def _begin_member(self, name: str) -> None:
        inside = self._stack[-1]
        inside.step = name
        if name in inside.names:
            raise _AlarmError("the name is given twice")
        inside.names.add(name)
        below: list[Node] = []
        for node in inside.nodes:
            properties = _object(node.get("properties"))
            rest = node.get("additionalProperties")
            if name in properties:
                below += nodes_of([properties[name]])
            elif "patternProperties" not in node:
                if rest is False:
                    raise _AlarmError("the property is not allowed")
                below += nodes_of([rest])
        self._nodes, self._at = _all_of(self._references, below), _At.COLON

    def _begin_item(self) -> None:
        inside = self._stack[-1]
        inside.step, place = inside.items, inside.items
        inside.items += 1
        below: list[Node] = []
        for node in inside.nodes:
            prefix = _list(node.get("prefixItems"))
            most = node.get("maxItems")
            if isinstance(most, int) and inside.items > most:
                raise _AlarmError(f"there are more than {most} items")
            if isinstance(node.get("items"), list):  # the older form of prefixItems
                continue
            below += nodes_of([prefix[place] if place < len(prefix) else node.get("items")])
        self._nodes, self._at = _all_of(self._references, below), _At.VALUE

    def _next(self, place: int) -> int:
        if self._stack[-1].is_object:
            self._at = _At.NAME
        else:
            self._begin_item()
        return place + 1

    def _close(self, place: int) -> int:
        ended = self._stack.pop()
        if ended.is_object:
            for node in ended.nodes:
                for name in _list(node.get("required")):
                    if name not in ended.names:
                        raise _AlarmError(f"the property {name!r} is missing")
        self._end_value()
        return place + 1

    def _end_value(self) -> None:
        self._at = _At.NEXT if self._stack else _At.END

    def _must_be(self, kind: str) -> None:
        for node in self._nodes:
            asked = node.get("type")
            allowed = [asked] if isinstance(asked, str) else asked
            if allowed and kind not in allowed and not (kind == "number" and "integer" in allowed):
                raise _AlarmError(f"a value of type {kind} is not of type {' or '.join(allowed)}")

    def _must_equal(self, value: object) -> None:
        if value is Ellipsis:
            return
        for node in self._nodes:
            options = _list(node.get("enum")) or ([node["const"]] if "const" in node else [])
            if options and not any(_equal(value, option) for option in options):
                raise _AlarmError(f"{str(value)[:80]!r} is not one of the allowed values")


def _object(value: object) -> Node:
    return cast("Node", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _all_of(references: References, nodes: list[Node]) -> tuple[Node, ...]:
    """The nodes, and those that apply in any case where they do."""
    found: dict[int, Node] = {}
    while nodes and len(found) < _MOST_NODES:
        node = nodes.pop()
        if id(node) not in found:
            found[id(node)] = node
            nodes += nodes_of(node.get("allOf"))
            if "$ref" in node:
                nodes += references.of({"$ref": node["$ref"]})
    return tuple(found.values())


def _read_number(nodes: tuple[Node, ...], token: str) -> Any:
    """A whole number as int; Ellipsis for others, which are too fine to compare here."""
    if len(token) <= 15 and token.lstrip("-").isdigit():
        return int(token)
    number = float(token) if len(token) <= 15 else 0.0
    if not number.is_integer():
        for node in nodes:
            asked = node.get("type")
            if asked == "integer" or (isinstance(asked, list) and "integer" in asked and "number" not in asked):
                raise _AlarmError(f"{token} is not of type integer")
    return ...


def _equal(value: object, option: object) -> bool:
    if isinstance(value, bool) or isinstance(option, bool):
        return value is option
    return value == option

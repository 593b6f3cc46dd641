"""How many checks a schema may cost, counted before they are made: a validator cannot be interrupted.

Twenty-five `allOf` pairs that refer to each other are two kilobytes of schema and 33 million
checks. Without recursion the worst case is a property of the schema: its size with every local
reference written out. With recursion it depends on the reply too, so the checks of each reply are
counted first, every pair of subschema and value once (`steps_for`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from .references import Node, References

MAX_WEIGHT = 200_000
MAX_STEPS = 2_000_000

_LISTS = ("allOf", "anyOf", "oneOf")
_SINGLES = ("not", "if", "then", "else")
_ITEMS = ("items", "additionalItems", "contains", "unevaluatedItems")
_REST = ("additionalProperties", "unevaluatedProperties")
_MAPS = ("properties", "patternProperties")


@dataclass(frozen=True, slots=True, eq=False)
class Burden:
    """weight: checks of one value in the worst case, for a schema that does not refer to itself."""

    schema: Node
    references: References
    weight: int
    is_recursive: bool

    @property
    def is_excessive(self) -> bool:
        """No reply may be held against it."""
        return self.weight > MAX_WEIGHT

    def forbids(self, value: object) -> bool:
        """Whether checking this reply would take too many steps."""
        try:
            return self.is_recursive and _Steps(self.references).count(self.schema, value) > MAX_STEPS
        except RecursionError:
            return True


def weigh(schema: Node) -> Burden:
    """The burden of a schema whose depth is bounded already."""
    references = References(schema)
    weigher = _Weigher(references)
    try:
        return Burden(schema, references, weigher.weigh(schema), weigher.is_recursive)
    except RecursionError:  # a chain of a thousand references
        return Burden(schema, references, MAX_WEIGHT + 1, is_recursive=True)


def in_place(references: References, node: Node) -> Iterator[Node]:
    """The subschemas that a node applies to the same value."""
    yield from references.of(node)
    for name in _LISTS:
        yield from nodes_of(node.get(name))
    for name in _SINGLES:
        yield from nodes_of([node.get(name)])
    yield from nodes_of(node.get("dependentSchemas"))


def nodes_of(value: object) -> Iterator[Node]:
    """The objects among the items of a list or the values of an object."""
    found = cast("Node", value).values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in cast("list[object]", found):
        if isinstance(item, dict):
            yield cast("Node", item)


def _below(node: Node) -> Iterator[Node]:
    for name in _MAPS:
        yield from nodes_of(node.get(name))
    yield from nodes_of([node.get(name) for name in (*_ITEMS, *_REST, "propertyNames")])
    yield from nodes_of(node.get("prefixItems"))


class _Weigher:
    def __init__(self, references: References) -> None:
        self._references = references
        self._weights: dict[int, int] = {}
        self._open: set[int] = set()
        self.is_recursive = False

    def weigh(self, node: Node) -> int:
        key = id(node)
        if key in self._weights:
            return self._weights[key]
        if key in self._open:
            self.is_recursive = True
            return 1
        self._open.add(key)
        weight = 1 + sum(self.weigh(inner) for inner in (*in_place(self._references, node), *_below(node)))
        self._open.discard(key)
        self._weights[key] = weight
        return weight


class _Steps:
    """Counts the checks of a value, each pair of node and value worked out once."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._known: dict[tuple[int, int], int] = {}

    def count(self, node: Node, value: object) -> int:
        key = (id(node), id(value))
        known = self._known.get(key)
        if known is not None:
            return known
        self._known[key] = 1  # a node that leads back to itself at the same value ends there
        steps = 1 + sum(self.count(inner, value) for inner in in_place(self._references, node))
        if isinstance(value, dict):
            steps += sum(self._count_member(node, name, item) for name, item in cast("Node", value).items())
        elif isinstance(value, list):
            prefix = list(nodes_of(node.get("prefixItems")))
            items = [*nodes_of([node.get(name) for name in _ITEMS]), *prefix]
            steps += sum(self.count(inner, item) for item in cast("list[object]", value) for inner in items)
        self._known[key] = steps
        return steps

    def _count_member(self, node: Node, name: str, item: object) -> int:
        properties = node.get("properties")
        named = cast("Node", properties).get(name) if isinstance(properties, dict) else None
        others = [named, *(node.get(rest) for rest in _REST), *nodes_of(node.get("patternProperties"))]
        return sum(self.count(inner, item) for inner in nodes_of(others))

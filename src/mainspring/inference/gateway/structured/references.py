"""Where the references of a schema lead, within the schema itself: by JSON pointer or by anchor.

Anything else (another document, a nested `$id` that moves the base) cannot be followed here, so
the schema is refused rather than judged in part.
"""

from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import unquote

Node = dict[str, Any]

_PLAIN = {"const", "enum", "default", "examples"}
_NAMES = ("$ref", "$dynamicRef", "$recursiveRef")


class References:
    """The targets of every reference of one schema; `problem` names one that leads nowhere, or None."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._base = str(root.get("$id", ""))
        self._anchors: dict[str, list[Node]] = {}
        nodes = list(_walk(root))
        for node in nodes:
            for name in ("$anchor", "$dynamicAnchor"):
                if isinstance(node.get(name), str):
                    self._anchors.setdefault(node[name], []).append(node)
        self.problem = next((found for node in nodes if (found := self._problem_of(node))), None)

    def of(self, node: Node) -> Iterator[Node]:
        """The nodes that the references of a node lead to."""
        for name in _NAMES:
            if isinstance(reference := node.get(name), str):
                yield from self._targets(reference)

    def _problem_of(self, node: Node) -> str | None:
        if node is not self._root and isinstance(node.get("$id"), str):
            return f"it has a nested $id ({node['$id'][:80]!r}); write it as one document"
        for name in _NAMES:
            reference = node.get(name)
            if isinstance(reference, str) and not self._targets(reference):
                return f"the reference {reference[:80]!r} leads to no object in it; only local ones are followed"
        return None

    def _targets(self, reference: str) -> list[Node]:
        document, _, fragment = reference.partition("#")
        if document and document != self._base.partition("#")[0]:
            return []
        if fragment and not fragment.startswith("/"):
            return self._anchors.get(fragment, [])
        place: Any = self._root
        for step in unquote(fragment).split("/")[1:]:
            place = _enter(place, step.replace("~1", "/").replace("~0", "~"))
        return [cast("Node", place)] if isinstance(place, dict) else []


def _enter(place: object, step: str) -> object:
    if isinstance(place, dict):
        return cast("Node", place).get(step)
    if isinstance(place, list) and step.isdigit() and int(step) < len(cast("list[object]", place)):
        return cast("list[object]", place)[int(step)]
    return None


def _walk(root: Node) -> Iterator[Node]:
    waiting: list[object] = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            node = cast("Node", value)
            yield node
            waiting += [inner for name, inner in node.items() if name not in _PLAIN]
        elif isinstance(value, list):
            waiting += cast("list[object]", value)

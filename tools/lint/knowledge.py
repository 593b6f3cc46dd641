"""Knowledge is reached through `Homes` alone, and every statement about it names the tenant.

A tenant's knowledge may live in a schema or a database of its own. Who opens a transaction elsewhere reads tables that
its tenant has left, or misses them; who leaves the tenant out of a statement relies on row-level security alone.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

KNOWLEDGE = ("orchestration", "knowledge")
HOMES = (*KNOWLEDGE, "homes")
DOORS = {"tenant", "system", "raw", "connect_apart"}
TABLES = re.compile(
    r"\b(from|join|into|update|using|only)\s+(as\s+)?"
    r"(document(_\w+)?|chunk(_\w+)?|indexed_document|embedding_draft|term_count|knowledge_\w+)\b",
    re.IGNORECASE,
)
STATEMENT = re.compile(r"^\s*(select|insert|update|delete|merge|with)\s", re.IGNORECASE)
TENANT = re.compile(r"\btenant_id\b")
CONDITION = re.compile(r"\{of_\w+\}")
"""A statement may leave its condition open by this name, when the module has a condition that names the tenant."""


def find_unhoused(path: Path, tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Line, rule and mend of each call and each statement of the room that goes past the tenant's home."""
    if "src" not in path.parts or not _is_under(path, KNOWLEDGE):
        return
    if not _is_under(path, HOMES):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _opens(node):
                yield node.lineno, "home", "open the transaction by Homes: reading, writing, everywhere or platform"
    texts = list(_texts(tree))
    has_condition = any(TENANT.search(text) and not STATEMENT.match(text) for _, text in texts)
    for line, text in texts:
        names_tenant = TENANT.search(text) or (has_condition and CONDITION.search(text))
        if STATEMENT.match(text) and TABLES.search(text) and not names_tenant:
            yield line, "tenant-named", "name tenant_id in the statement"


def _opens(call: ast.Call) -> bool:
    """`database.tenant(...)` and its like, and connections made past the pool."""
    if not isinstance(call.func, ast.Attribute):
        return False
    return call.func.attr in DOORS or (call.func.attr == "connect" and "psycopg" in ast.unparse(call.func.value))


def _texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every string but docstrings, formatted ones whole."""
    documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    formatted = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inside = {id(part) for node in formatted for part in ast.walk(node)}
    for node in formatted:
        parts = (part.value if isinstance(part, ast.Constant) else ast.unparse(part) for part in node.values)
        yield node.lineno, "".join(map(str, parts))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented | inside:
            yield node.lineno, node.value


def _is_under(path: Path, room: tuple[str, ...]) -> bool:
    return any(path.parts[start : start + len(room)] == room for start in range(len(path.parts)))

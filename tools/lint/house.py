"""The rules of the house that no off-the-shelf linter knows; each says how to mend what it finds.

    python -m tools.lint.house            checks src, tests, tools and bench; exit 1 on a finding

A line may opt out with `# house: allow-<rule> - reason`; an opt-out that nothing needs is a finding.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.lint.knowledge import find_unhoused

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 500
MAX_FUNCTION_LINES = 60
SQL_WORDS = re.compile(
    r"^\s*(select\s.+\sfrom|insert\s+into|update\s+\w+\s+set|delete\s+from|with\s+\w+\s+as\s*\()",
    re.IGNORECASE | re.DOTALL,
)
SQL_HOMES = {"store.py", "outbox.py", "queries.py"}
ENVIRON_HOMES = {"settings.py", "process.py"}
BANNED_NAMES = {"utils", "helpers", "common", "misc", "manager"}
OPT_OUT = re.compile(r"#\s*house:\s*allow-([a-z-]+)")


@dataclass(frozen=True, slots=True)
class Finding:
    path: Path
    line: int
    rule: str
    mend: str


def check_file(path: Path, source: str) -> list[Finding]:
    """Every finding of one file, opt-outs applied and checked."""
    tree = ast.parse(source)
    found = [*_sizes(path, source, tree), *_names(path), *_stores(path, tree), *_sql(path, tree), *_environ(path, tree)]
    found += [Finding(path, line, rule, mend) for line, rule, mend in find_unhoused(path, tree)]
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]
    allowed = {(line, rule) for line, comment in comments for rule in OPT_OUT.findall(comment)}
    used = {(finding.line, finding.rule) for finding in found} & allowed
    unused = [Finding(path, n, "unused-opt-out", f"delete `house: allow-{rule}`") for n, rule in sorted(allowed - used)]
    return [finding for finding in found if (finding.line, finding.rule) not in allowed] + unused


def _sizes(path: Path, source: str, tree: ast.Module) -> Iterator[Finding]:
    if (count := source.count("\n")) > MAX_LINES:
        yield Finding(path, 1, "file-size", f"{count} lines; split by what the parts decide, {MAX_LINES} at most")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield Finding(path, node.lineno, "function-size", f"{node.name} has {length} lines; name its parts")


def _names(path: Path) -> Iterator[Finding]:
    if path.stem in BANNED_NAMES:
        yield Finding(path, 1, "drawer", f"name the file by what it decides, not {path.stem}")


def _stores(path: Path, tree: ast.Module) -> Iterator[Finding]:
    """Functions of a store take the tenant's (or the system's) transaction first."""
    if path.name != "store.py":
        return
    for node in tree.body:
        if isinstance(node, ast.AsyncFunctionDef):
            first = node.args.args[0].annotation if node.args.args else None
            kind = ast.unparse(first) if first else ""
            if "Transaction" not in kind and "AsyncConnection" not in kind:
                yield Finding(path, node.lineno, "tenant-first", f"{node.name}: take a TenantTransaction first")


def _may_hold_sql(path: Path) -> bool:
    return path.name in SQL_HOMES or path.name.endswith("_store.py") or "migrations" in path.parts


def _sql(path: Path, tree: ast.Module) -> Iterator[Finding]:
    if "src" not in path.parts or _may_hold_sql(path):
        return
    documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in documented:
            continue
        if SQL_WORDS.match(node.value):
            yield Finding(path, node.lineno, "sql-outside-store", "move the statement to the room's store.py")


def _environ(path: Path, tree: ast.Module) -> Iterator[Finding]:
    if "src" not in path.parts or path.name in ENVIRON_HOMES:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
            yield Finding(path, node.lineno, "environ", "take the value as an argument; foundation.settings reads it")


def main() -> int:
    """Check the tree and print what is found."""
    files = [path for folder in ("src", "tests", "tools", "bench") for path in sorted((ROOT / folder).rglob("*.py"))]
    found = [finding for path in files for finding in check_file(path.relative_to(ROOT), path.read_text())]
    for finding in found:
        print(f"{finding.path}:{finding.line}: {finding.rule}: {finding.mend}")
    print(f"{len(files)} files, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

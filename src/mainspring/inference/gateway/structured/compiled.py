"""Callers' JSON schemas, compiled once and held against limits, since a schema is input like any other.

jsonschema-rs validates (Draft 2020-12 unless `$schema` says otherwise; `format` annotates, as the
draft has it). Against jsonschema, on 20 nested objects: import 12 against 43 ms, compiling 0.12
against 19 ms, validating 0.003 against 0.52 ms. References are never fetched, patterns have a
limit of backtracking, and schemas whose evaluation would explode are refused (`cost`). Compiled
schemas are remembered by the hash of their text, within a budget of bytes.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
from jsonschema_rs import FancyRegexOptions, ReferencingError, ValidationError, Validator, validator_for

from mainspring.inference.gateway.errors import InvalidRequest

from .cost import Burden, weigh

MAX_SCHEMA_BYTES = 64 * 1024
MAX_SCHEMA_DEPTH = 64
_REMEMBERED_BYTES = 4 * 1024 * 1024
_BACKTRACKS = 100_000  # about 1 ms on the pattern (a|aa)+ with a back reference
_PATTERN_BYTES = 1 << 20

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledSchema:
    """A schema that may be used: `validator` decides, `burden` says when a reply must not be given to it."""

    schema: Schema
    validator: Validator
    burden: Burden


class SchemaCache:
    """Compiled schemas of all tenants, the least recently used forgotten first. A schema holds no reply."""

    def __init__(self, budget_bytes: int = _REMEMBERED_BYTES) -> None:
        self._budget = budget_bytes
        self._held = 0
        self._compiled: OrderedDict[bytes, tuple[int, CompiledSchema]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._compiled)

    def compile(self, schema: Schema) -> CompiledSchema:
        """The schema ready for use; InvalidRequest says why it cannot be used."""
        text = _encode(schema)
        key = blake2b(text, digest_size=16).digest()
        known = self._compiled.get(key)
        if known is not None:
            self._compiled.move_to_end(key)
            return known[1]
        compiled = _compile(text)
        self._compiled[key] = (len(text), compiled)
        self._held += len(text)
        while self._held > self._budget and len(self._compiled) > 1:
            self._held -= self._compiled.popitem(last=False)[1][0]
        return compiled


SCHEMAS = SchemaCache()


def _encode(schema: Schema) -> bytes:
    try:
        text = msgspec.json.encode(schema)
    except RecursionError:
        raise _refused(f"it is nested more than {MAX_SCHEMA_DEPTH} levels deep") from None
    except (TypeError, ValueError) as unfit:
        raise _refused(f"it is not JSON ({unfit})") from None
    if len(text) > MAX_SCHEMA_BYTES:
        raise _refused(f"it has {len(text):,} bytes; the limit is {MAX_SCHEMA_BYTES:,}")
    return text


def _compile(text: bytes) -> CompiledSchema:
    schema = msgspec.json.decode(text)
    if not isinstance(schema, dict):
        raise _refused("it is not an object")
    if depth_of(schema, MAX_SCHEMA_DEPTH) > MAX_SCHEMA_DEPTH:
        raise _refused(f"it is nested more than {MAX_SCHEMA_DEPTH} levels deep")
    burden = weigh(schema)
    if burden.references.problem:
        raise _refused(burden.references.problem)
    if burden.is_excessive:
        raise _refused("its combinations and references multiply to too many checks of one value")
    patterns = FancyRegexOptions(backtrack_limit=_BACKTRACKS, size_limit=_PATTERN_BYTES)
    try:
        validator = validator_for(schema, offline=True, pattern_options=patterns)
    except ValidationError as unfit:
        where = "/".join(str(step) for step in unfit.instance_path)
        raise _refused(f"{unfit.message[:200]}{f' (at /{where})' if where else ''}") from None
    except (ReferencingError, ValueError) as unfit:
        raise _refused(str(unfit).partition("\n")[0][:200]) from None
    return CompiledSchema(schema, validator, burden)


def depth_of(value: object, limit: int) -> int:
    """How deep a JSON value is nested; stops counting just above the limit."""
    depth, level = 0, [value]
    while level and depth <= limit:
        depth += 1
        level = [
            inner
            for item in level
            for inner in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())  # pyright: ignore[reportUnknownVariableType] - JSON
        ]
    return depth


def _refused(reason: str) -> InvalidRequest:
    return InvalidRequest(f"The JSON schema of the reply cannot be used: {reason}.")

"""A tool is what its function says: schema, description and arguments come from the signature."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any

import pytest
from inline_snapshot import snapshot

from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.orchestration.tools.declaring import tool
from mainspring.orchestration.tools.errors import ToolInvalid
from mainspring.orchestration.tools.types import Effects, Rate, ToolContext


class Unit(StrEnum):
    DAYS = "days"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Term:
    count: int
    unit: Unit = Unit.DAYS


def context() -> ToolContext:
    principal = Principal(TenantId(new_id()), PrincipalKind.USER, "Ada", frozenset())
    return ToolContext(principal, "thread:1", "call_1", "tool_1")


@tool(title="Add a term to a date")
async def add_term(
    start: Annotated[date, "the first day"],
    terms: list[Term],
    note: Annotated[str | None, "kept with the answer"] = None,
    skip_weekends: bool = False,
) -> dict[str, Any]:
    """Add terms to a date, one after the other."""
    days = sum(term.count * (30 if term.unit is Unit.MONTHS else 1) for term in terms)
    return {"end": start + timedelta(days=days), "note": note, "weekends": skip_weekends}


def test_the_schema_is_strict_and_tells_what_each_argument_means():
    assert dict(add_term.parameters) == snapshot(
        {
            "type": "object",
            "properties": {
                "start": {"description": "the first day", "type": "string", "format": "date"},
                "terms": {"type": "array", "items": {"$ref": "#/$defs/Term"}},
                "note": {
                    "description": "kept with the answer",
                    "anyOf": [{"type": "string"}, {"type": "null"}],
                    "default": None,
                },
                "skip_weekends": {"type": "boolean", "default": False},
            },
            "additionalProperties": False,
            "required": ["start", "terms"],
            "$defs": {
                "Term": {
                    "type": "object",
                    "properties": {"count": {"type": "integer"}, "unit": {"$ref": "#/$defs/Unit", "default": "days"}},
                    "required": ["count"],
                    "additionalProperties": False,
                },
                "Unit": {"enum": ["days", "months"]},
            },
        }
    )


async def test_arguments_arrive_as_the_types_that_the_function_asks_for():
    answer = await add_term.invoke(context(), {"start": "2026-01-31", "terms": [{"count": 2, "unit": "months"}]})
    assert answer == {"end": date(2026, 4, 1), "note": None, "weekends": False}


def test_the_model_is_told_the_docstring_and_never_of_the_context():
    @tool(effects=Effects.WRITES)
    async def send(context: ToolContext, to: str) -> str:
        """Send a letter."""
        return to

    assert (send.name, send.title, send.description) == ("send", "Send", "Send a letter.")
    assert list(send.parameters["properties"]) == ["to"]


async def no_docstring(words: str) -> str:
    return words


async def untyped(words) -> str:  # type: ignore[no-untyped-def]  # pyright: ignore
    """Look."""
    return words


async def many(*words: str) -> str:
    """Look."""
    return ""


async def no_json(when: complex) -> str:
    """Look."""
    return ""


async def writes(to: str) -> str:
    """Write."""
    return to


def not_async(to: str) -> str:
    """Write."""
    return to


@pytest.mark.parametrize(
    ("function", "options", "says"),
    [
        (no_docstring, {}, "docstring"),
        (untyped, {}, "has no type"),
        (many, {}, "one by one"),
        (no_json, {}, "no JSON form"),
        (writes, {"effects": Effects.WRITES}, "takes no ToolContext"),
        (writes, {"secrets": ("mail.token",)}, "takes no ToolContext"),
        (not_async, {}, "not async"),
        (writes, {"name": "send__letter"}, "without __"),
        (writes, {"timeout": timedelta(hours=1)}, "timeout"),
        (writes, {"retries": 6}, "retries"),
        (writes, {"rate": Rate(0, timedelta(seconds=1))}, "rate"),
        (writes, {"max_output_bytes": 5}, "max_output_bytes"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_where_it_is_declared(function: Any, options: dict[str, Any], says: str):
    with pytest.raises(ToolInvalid, match=says):
        tool(**options)(function)

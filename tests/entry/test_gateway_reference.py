"""The page on the gateway's interface names every field, header and error that the code has, with the right default."""

import re
from pathlib import Path

import msgspec
import pytest

from mainspring.foundation.errors import MainspringError
from mainspring.inference.gateway.policy import CachePolicy, Limit, Price, RoutingPolicy, TenantPolicy
from tools.write_reference import pages

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/gateway.md").read_text()
ROOM = ROOT / "src/mainspring/inference/gateway"


@pytest.mark.parametrize("struct", [TenantPolicy, Limit, CachePolicy, RoutingPolicy, Price])
def test_every_field_of_a_policy_is_shown_with_its_default(struct: type[msgspec.Struct]):
    missing: list[str] = []
    for field in msgspec.structs.fields(struct):
        shown = "required" if field.required else f"`{_default(field)}`"
        if f"| `{field.name}` | {shown} |" not in PAGE:
            missing.append(f"{field.name}: {shown}")
    assert missing == []


def test_no_field_is_shown_that_a_policy_does_not_have():
    fields = {
        field.name
        for struct in (TenantPolicy, Limit, CachePolicy, RoutingPolicy, Price)
        for field in msgspec.structs.fields(struct)
    }
    policy = PAGE.partition("## The policy")[2].partition("## What limits mean")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", policy, re.MULTILINE)) == fields


def test_every_header_of_ours_is_shown():
    sources = "".join(path.read_text() for path in ROOM.rglob("*.py"))
    headers = set(re.findall(r"x-mainspring-[a-z-]*[a-z]", sources))
    assert len(headers) > 10
    assert [header for header in headers if f"`{header}`" not in PAGE] == []


def test_every_error_of_the_gateway_is_shown():
    pages()  # which imports every room's errors
    codes = {
        error.code
        for error in _descendants(MainspringError)
        if error.__module__.startswith("mainspring.inference.gateway") and error.__module__.endswith(".errors")
    }
    assert len(codes) > 15
    assert [code for code in sorted(codes) if f"`{code}`" not in PAGE] == []


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return msgspec.json.encode(value).decode()


def _descendants(error: type[MainspringError]) -> list[type[MainspringError]]:
    return [each for child in error.__subclasses__() for each in (child, *_descendants(child))]

"""Wire shapes of the store."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, JsonValue

from mainspring.foundation.errors import InvalidInput
from mainspring.orchestration.agents.server.words import Body, Limit, Offset, show_instant
from mainspring.orchestration.agents.types import JsonObject, StoreItem

from .store import Condition, Found

_OPERATORS = ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte")
_MAX_LABELS = 20
_MAX_LABEL = 200


def check_namespace(labels: list[str]) -> list[str]:
    """A namespace that may hold items: 1 to 20 labels, none empty, none with a period."""
    if not labels:
        raise InvalidInput("The namespace is empty; it needs 1 label at least.")
    return check_prefix(labels)


def check_prefix(labels: list[str]) -> list[str]:
    """The beginning of a namespace; it may be empty."""
    if len(labels) > _MAX_LABELS:
        raise InvalidInput(f"The namespace has {len(labels)} labels; {_MAX_LABELS} at most.")
    for label in labels:
        if not label or "." in label or len(label) > _MAX_LABEL:
            raise InvalidInput(
                f"{label[:40]!r} cannot be a label: 1 to {_MAX_LABEL} characters, and no period among them."
            )
    return labels


Namespace = Annotated[list[str], AfterValidator(check_namespace)]
NamespacePrefix = Annotated[list[str], AfterValidator(check_prefix)]


class ItemPut(Body):
    """An item to store. `index` is accepted and means nothing here: all text of the value is searched."""

    namespace: Namespace
    key: str = Field(min_length=1, max_length=500)
    value: dict[str, JsonValue]
    index: bool | list[str] | None = None
    ttl: float | None = Field(None, gt=0, le=5_256_000, description="Minutes until it is forgotten.")


class ItemName(Body):
    """Which item."""

    namespace: Namespace
    key: str = Field(min_length=1, max_length=500)


class ItemSearchBody(Body):
    """Which items. `filter` compares top-level fields: a value, or `{"$gt": 5}` and its kin."""

    namespace_prefix: NamespacePrefix = Field(default_factory=list[str])
    filter: dict[str, JsonValue] | None = None
    limit: Limit = 10
    offset: Offset = 0
    query: str | None = Field(None, max_length=2_000)
    refresh_ttl: bool | None = None


class NamespaceSearchBody(Body):
    """Which namespaces; `*` stands for any label."""

    prefix: NamespacePrefix | None = None
    suffix: NamespacePrefix | None = None
    max_depth: int | None = Field(None, ge=1, le=_MAX_LABELS)
    limit: Limit = 100
    offset: Offset = 0


class ItemShape(BaseModel):
    """An item."""

    namespace: list[str]
    key: str
    value: dict[str, JsonValue]
    created_at: str
    updated_at: str
    score: float | None = None


class ItemList(BaseModel):
    """Items that were found."""

    items: list[ItemShape]


class NamespaceList(BaseModel):
    """Namespaces that were found."""

    namespaces: list[list[str]]


def read_conditions(wanted: dict[str, JsonValue] | None) -> tuple[Condition, ...]:
    """The comparisons of a filter; InvalidInput names an operator there is none of."""
    conditions: list[Condition] = []
    for field, operand in (wanted or {}).items():
        if isinstance(operand, dict) and operand and all(name.startswith("$") for name in operand):
            for operator, value in operand.items():
                if operator not in _OPERATORS:
                    raise InvalidInput(f"{operator[:20]!r} is no comparison; use one of {', '.join(_OPERATORS)}.")
                conditions.append(Condition(field, operator, value))
        else:
            conditions.append(Condition(field, "$eq", operand))
    return tuple(conditions)


def show_item(item: StoreItem) -> JsonObject:
    """As `ItemShape`."""
    return {
        "namespace": list(item.namespace),
        "key": item.key,
        "value": dict(item.value),
        "created_at": show_instant(item.created_at),
        "updated_at": show_instant(item.updated_at),
    }


def show_found(found: Found) -> JsonObject:
    """As `ItemShape`, with the score of a search by words."""
    return {**show_item(found.item), "score": found.score}

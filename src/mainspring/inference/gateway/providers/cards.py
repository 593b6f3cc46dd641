"""What callers are told of the models they may ask for; each dialect writes it in its own shape."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model of the catalog.

    id           the name to ask for it by
    owned_by     who made or serves it
    retires_at   when it stops being served, where that is known
    """

    id: str
    created_at: datetime
    owned_by: str
    display_name: str
    lifecycle: Literal["active", "deprecated", "retired"] = "active"
    retires_at: datetime | None = None
    context_tokens: int | None = None
    max_output_tokens: int | None = None

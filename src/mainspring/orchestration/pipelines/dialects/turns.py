"""What happens in a run as any frontend protocol can tell it: things begin, grow and end, each once.

`Retelling` makes these of our events, so that the dialects need to know nothing of snapshots, resets and attempts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

Facts = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RunBegan:
    """Always the first."""

    run: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StepShown:
    """How one step of the run stands; `facts` hold name, title, status and, where told, text and attempt."""

    name: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class RunShown:
    """The whole run as it stands: id, pipeline, status, steps; tells what came before for who joined late."""

    facts: Facts


@dataclass(frozen=True, slots=True)
class StepBegan:
    name: str


@dataclass(frozen=True, slots=True)
class StepEnded:
    name: str


@dataclass(frozen=True, slots=True)
class TextBegan:
    message: str


@dataclass(frozen=True, slots=True)
class TextGrew:
    """`delta` is never empty."""

    message: str
    delta: str


@dataclass(frozen=True, slots=True)
class TextEnded:
    message: str


@dataclass(frozen=True, slots=True)
class TextDropped:
    """An open text is void: what produced it begins anew. Another `TextBegan` follows when it speaks again."""

    message: str


@dataclass(frozen=True, slots=True)
class ToolCalled:
    call: str
    tool: str
    arguments: object


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    call: str
    output: object
    is_error: bool


@dataclass(frozen=True, slots=True)
class Told:
    """Anything else, by the name of our event; `key` names what a later one of the same name and key replaces."""

    name: str
    facts: Facts
    key: str | None = None


@dataclass(frozen=True, slots=True)
class RunEnded:
    """Always the last. `code` is set when it failed."""

    status: str
    text: str
    code: str | None


Turn = (
    RunBegan
    | RunShown
    | StepShown
    | StepBegan
    | StepEnded
    | TextBegan
    | TextGrew
    | TextEnded
    | TextDropped
    | ToolCalled
    | ToolAnswered
    | Told
    | RunEnded
)

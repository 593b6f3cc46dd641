"""What the API answers about runs, tenants, people and keys, as frozen values.

Fields are those of the HTTP reference. Words from a closed set (a status, a severity) are plain
strings, and unknown fields are ignored, so that a newer API does not break an older client.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run or step failed."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class RunItems:
    """How far a step is that fanned out over a list."""

    total: int
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class RunStep:
    """One step of a run.

    awaited   what a suspended one waits for, as `signal:signed`; `wake_at` is when it waits no longer
    """

    name: str
    title: str
    status: str
    attempt: int
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: RunError | None = None
    is_compensation: bool = False
    awaited: str | None = None
    wake_at: datetime | None = None
    items: RunItems | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a pipeline; `status` is queued, running, compensating, succeeded, failed or cancelled.

    at_steps  where it stands or failed, in lists only
    """

    id: str
    pipeline: str
    status: str
    subject: str | None
    created_at: datetime
    version: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    steps: tuple[RunStep, ...] = ()
    error: RunError | None = None
    at_steps: tuple[str, ...] = ()
    parent: str | None = None
    retry_of: str | None = None
    replay_of: str | None = None
    initiated_by: str | None = None
    cost_micros: int = 0
    cost_ceiling_micros: int | None = None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in {"succeeded", "failed", "cancelled"}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run: `type` such as `step.started`, `data` as the API reference has it."""

    id: str
    type: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Record:
    """One model call."""

    id: str
    at: datetime
    operation: str
    status: str
    run: str | None = None
    step: str | None = None
    feature: str | None = None
    model_asked: str | None = None
    model_served: str | None = None
    provider: str | None = None
    finish_reason: str | None = None
    error_code: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_micros: int | None = None
    latency_ms: float | None = None
    ttft_ms: float | None = None
    stream: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """A person."""

    id: str
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class Tenant:
    """The organization that a key belongs to; `created_at` is absent where it is shown in short."""

    id: str
    slug: str
    name: str
    ai_enabled: bool
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Who the key speaks for; `user` and `role` are None for API keys."""

    tenant: Tenant
    permissions: tuple[str, ...]
    user: User | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """A role and what it permits."""

    role: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A person in the tenant; `password` is there once, when it was generated."""

    id: str
    user: User
    role: str
    created_at: datetime
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key; `secret` is there once, when it was created."""

    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    secret: str | None = field(default=None, repr=False)

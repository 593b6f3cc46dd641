"""Starting a run for something that came from outside: which pipelines may be, and with what.

Only pipelines that the composition root names can be started so: a pipeline's input is otherwise made by our own code,
and may name things that its maker was allowed to see.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal
from mainspring.orchestration.pipelines import Pipeline, Pipelines, Run

from .errors import EndpointInvalid, EventInvalid

_MAX_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a run is started.

    once   names the thing that came: the same parts start one run of a pipeline
    about  what the run is about
    """

    once: tuple[str, ...]
    about: str


class Starter:
    """Starts runs of the pipelines that are open to events.

    startable   by wiring; of two versions of one name the higher is started
    """

    def __init__(self, pipelines: Pipelines, startable: Iterable[Pipeline]) -> None:
        self._pipelines = pipelines
        self._startable = {each.name: each for each in sorted(startable, key=lambda each: each.version)}

    def check(self, name: str) -> None:
        """EndpointInvalid unless events may start a pipeline of that name."""
        if name not in self._startable:
            known = ", ".join(sorted(self._startable)) or "none"
            raise EndpointInvalid(f"No pipeline {name[:80]!r} can be started by events; those that can: {known}.")

    def fit(self, name: str, data: object) -> object:
        """`data` as the pipeline's input; EventInvalid says what does not fit."""
        self.check(name)
        first = next(step for step in self._startable[name].steps if not step.after)
        try:
            return msgspec.convert(data, first.input_type)
        except msgspec.ValidationError as unfit:
            raise EventInvalid(f"The data does not fit the pipeline {name}: {unfit}.") from None

    async def start(
        self, tenant: TenantId, name: str, submitted: object, *, cause: Cause, by: Principal | None = None
    ) -> Run:
        """Start a run, or answer the one that was started for the same thing before.

        submitted  what `fit` gave
        by         who sent it; None for a message of a queue, which nobody in the tenant sent
        raises     IdempotencyKeyReused for other data under the same name, BacklogFull, PipelineDraining
        """
        pipeline = self._startable[name]
        digest = hashlib.sha256("\0".join((name, *cause.once)).encode()).hexdigest()
        return await self._pipelines.submit(
            tenant, pipeline, submitted, idempotency_key=f"event:{digest}", subject=cause.about[:_MAX_SUBJECT], by=by
        )

"""Runs as the rest of the platform uses them: submit, look, cancel."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TypeVar

from msgspec import UNSET

from mainspring.foundation.db import Database, TenantTransaction
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.principal import Principal
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import Valkey, ValkeyGone

from . import store, waits_store
from .backlog import BACKLOG_LIMIT, Gate
from .codec import decode, encode
from .doorbell import Doorbell
from .errors import IdempotencyKeyReused, RunNotCancellable
from .pipeline import Pipeline
from .plan import new_row, repeated_row, step_rows
from .publisher import publish_now
from .reruns import read_earlier, replay, retry, retry_key
from .run_rows import queued_run, read_run, run_not_found
from .settle import end_run
from .signals import Told, receive
from .story import Milestone
from .stream import stream_keys
from .types import ROUTINE, RUN_PREFIX, Run, RunId, RunStatus, Urgency

log = get_logger(__name__)

Output = TypeVar("Output")

MAX_KEY_CHARACTERS = 200
_CALLERS = "caller:"
MAX_CHILDREN = 100


class Pipelines:
    """The door to runs. Every method works for one tenant and sees no other."""

    def __init__(self, database: Database, valkey: Valkey, *, backlog_limit: int = BACKLOG_LIMIT) -> None:
        self._database = database
        self._valkey = valkey
        self._gate = Gate(database, limit=backlog_limit)
        self._doorbell = Doorbell(valkey)
        self._known: dict[tuple[str, int], Pipeline] = {}

    def know(self, pipelines: Iterable[Pipeline]) -> None:
        """Learn what steps wait for, so that signals that do not fit are refused when they are sent."""
        self._known |= {(pipeline.name, pipeline.version): pipeline for pipeline in pipelines}

    async def look(self) -> None:
        """Learn what is drained, at most once a second; called before transactions that start runs."""
        await self._gate.look()

    async def submit(  # noqa: PLR0913 - what a run is about and how it competes are the caller's to say
        self,
        tenant: TenantId,
        pipeline: Pipeline,
        submitted: object,
        *,
        idempotency_key: str | None = None,
        subject: str | None = None,
        urgency: Urgency = ROUTINE,
        by: Principal | None = None,
    ) -> Run:
        """Store a run and ring for a worker; it is durable when this returns.

        submitted        the frozen input of the first steps, at most 1 MiB as JSON
        idempotency_key  the same key and work again answers the first run and starts nothing
        subject          what the run is about, such as `ctr_...`
        by               who asks for it: their hands are kept, so that they do not approve what it proposes
        raises           IdempotencyKeyReused (same key, other work), PayloadRefused, PipelineDraining, BacklogFull
        """
        await self.look()
        async with self._database.tenant(tenant) as transaction:
            run = await self.submit_in(
                transaction,
                pipeline,
                submitted,
                idempotency_key=idempotency_key,
                subject=subject,
                urgency=urgency,
                by=by,
            )
        await self.ring(pipeline)
        return run

    async def submit_in(  # noqa: PLR0913 - as `submit`
        self,
        transaction: TenantTransaction,
        pipeline: Pipeline,
        submitted: object,
        *,
        idempotency_key: str | None = None,
        subject: str | None = None,
        urgency: Urgency = ROUTINE,
        by: Principal | None = None,
    ) -> Run:
        """As `submit`, within the caller's transaction: its rows and the run commit together or not at all.

        Call `ring` after the commit; without it the run starts a second later.
        """
        _check_terms(idempotency_key, urgency)
        steps = step_rows(pipeline)
        text = encode(submitted, f"The input of {pipeline.name}")
        row = new_row(pipeline, text, idempotency_key=idempotency_key, subject=subject, urgency=urgency, by=by)
        refusal = await self._gate.check(transaction, pipeline.name)
        if refusal and idempotency_key is None:
            raise refusal
        created_at = None if refusal else await store.insert_run(transaction, row, steps)
        if created_at is not None:
            return queued_run(transaction.tenant, pipeline, row, created_at)
        assert idempotency_key is not None
        earlier = await store.find_by_key(transaction, idempotency_key, pipeline.name, text, replay_of=None)
        if earlier is None and refusal:
            raise refusal
        if earlier is None or not earlier["is_same"]:
            raise key_reused(idempotency_key)
        return await self.get_run_in(transaction, RunId(earlier["id"]))

    async def rerun(  # noqa: PLR0913 - what may differ from the first time is the caller's to say
        self,
        tenant: TenantId,
        run: RunId,
        *,
        from_failed: bool,
        pipeline: Pipeline,
        submitted: object = UNSET,
        idempotency_key: str | None = None,
        by: Principal | None = None,
    ) -> Run:
        """Repeat a run as a new one: from where it failed, or as a whole. It is about the same subject.

        from_failed      True: a retry, which takes over what has finished, of a fan-out each item that succeeded, and
                         keeps the idempotency keys, so that no effect is repeated but what was undone since. There is
                         one retry of a run: asking again answers it. False: a replay, from the beginning, with keys
                         of its own.
        pipeline         the version to run it as; a retry must be of the same pipeline
        submitted        another input for a replay; by default the first one
        idempotency_key  of a replay: the same key again answers the first replay
        raises           NotFound, RunUnfinished (a retry of what goes on or has succeeded), InvalidInput,
                         IdempotencyKeyReused, PayloadRefused, PipelineDraining, BacklogFull
        """
        await self.look()
        async with self._database.tenant(tenant) as transaction:
            repeated = await self.rerun_in(
                transaction,
                run,
                from_failed=from_failed,
                pipeline=pipeline,
                submitted=submitted,
                idempotency_key=idempotency_key,
                by=by,
            )
        await self._doorbell.ring(pipeline.lane(step.name) for step in pipeline.steps)
        return repeated

    async def rerun_in(  # noqa: PLR0913 - as `rerun`
        self,
        transaction: TenantTransaction,
        run: RunId,
        *,
        from_failed: bool,
        pipeline: Pipeline,
        submitted: object = UNSET,
        idempotency_key: str | None = None,
        by: Principal | None = None,
    ) -> Run:
        """As `rerun`, within the caller's transaction; call `look` before it.

        Without a `ring` it starts a second later.
        """
        if from_failed and (submitted is not UNSET or idempotency_key is not None):
            raise InvalidInput("A retry has the input and the key of its run; replay the run to change them.")
        _check_terms(idempotency_key, ROUTINE)
        earlier = await read_earlier(transaction, run)
        text = earlier["input"] if submitted is UNSET else encode(submitted, f"The input of {pipeline.name}")
        key = retry_key(run) if from_failed else idempotency_key
        terms = repeated_row(earlier, pipeline, text, idempotency_key=key, by=by)
        refusal = await self._gate.check(transaction, pipeline.name)
        repeat = retry if from_failed else replay
        repeated = None if refusal else await repeat(transaction, earlier, pipeline, terms)
        if repeated is not None:
            return await self.get_run_in(transaction, repeated)
        again = None if from_failed else run
        first = None
        if key is not None:
            first = await store.find_by_key(transaction, key, pipeline.name, text, replay_of=again)
        if first is None and refusal:
            raise refusal
        assert key is not None
        if first is None or not first["is_same"]:
            raise key_reused(key)
        return await self.get_run_in(transaction, RunId(first["id"]))

    async def signal(self, tenant: TenantId, run: RunId, name: str, payload: object, *, key: str) -> None:
        """Tell a run something: it ends every wait for that name, and is kept for those that begin later.

        payload  a JSON value of at most 1 MiB, of the type that the waiting step declares
        key      the same name and key again change nothing; of several signals of a name the first is the answer
        raises   NotFound, RunEnded, PayloadRefused for what a step that waits now cannot take, where its pipeline is
                 known (`know`)
        """
        async with self._database.tenant(tenant) as transaction:
            told = await receive(transaction, run, name, payload, key=key, known=self._known)
        await self.make_known(told)

    async def signal_in(
        self, transaction: TenantTransaction, run: RunId, name: str, payload: object, *, key: str
    ) -> Told:
        """As `signal`, within the caller's transaction, and without a look at what the payload is.

        Give what it answers to `make_known` after the commit; without that the run goes on a second later.
        """
        return await receive(transaction, run, name, payload, key=key)

    async def make_known(self, told: Told) -> None:
        """Tell who watches, and workers, what `signal_in` brought about; never fails, as it is only a hint."""
        if told.lanes:
            await self._doorbell.ring(told.lanes)
        await publish_now(self._valkey, told.milestones)

    async def ring(self, pipeline: Pipeline) -> None:
        """Wake workers that hold this pipeline; never fails, as it is only a hint."""
        await self._doorbell.ring(pipeline.lane(step.name) for step in pipeline.steps if not step.after)

    async def find_run(self, tenant: TenantId, run: RunId) -> Run | None:
        """The run, or None when the tenant has none of that id."""
        async with self._database.tenant(tenant) as transaction:
            row = await store.find_run(transaction, run)
        return read_run(row) if row else None

    async def get_run(self, tenant: TenantId, run: RunId) -> Run:
        """The run; NotFound in the same words whether it never was or is another tenant's."""
        async with self._database.tenant(tenant) as transaction:
            return await self.get_run_in(transaction, run)

    async def get_run_in(self, transaction: TenantTransaction, run: RunId) -> Run:
        """As `get_run`, within a transaction."""
        row = await store.find_run(transaction, run)
        if row is None:
            raise run_not_found(run)
        return read_run(row)

    async def latest_runs(self, tenant: TenantId, subjects: Sequence[str]) -> dict[str, Run]:
        """The newest run about each subject; a subject without one is absent."""
        async with self._database.tenant(tenant) as transaction:
            rows = await store.latest_runs(transaction, subjects)
        return {row["subject"]: read_run(row) for row in rows}

    async def get_output(self, tenant: TenantId, run: RunId, step: str, kind: type[Output]) -> Output:
        """What a finished step of the run returned, read as `kind`; NotFound while it has not."""
        async with self._database.tenant(tenant) as transaction:
            rows = await store.read_outputs(transaction, run)
        output = next((row["output"] for row in rows if row["name"] == step), None)
        if output is None:
            raise run_not_found(run)
        return decode(output, kind)

    async def cancel(self, tenant: TenantId, run: RunId) -> Run:
        """End the run and the runs it waits for now, whatever they are doing; repeating it changes nothing.

        Steps in progress lose their lease in the same transaction and are stopped within a
        third of a lease, at once when Valkey is there to tell their workers. What is declared to be
        undone is undone first: until then the run is `compensating`.
        raises   NotFound, RunNotCancellable when the run has succeeded or failed
        """
        async with self._database.tenant(tenant) as transaction:
            before, milestones = await end_run(transaction, run, RunStatus.CANCELLED)
            if before is None:
                raise run_not_found(run)
            current = await self.get_run_in(transaction, run)
        if before.is_final and before is not RunStatus.CANCELLED:
            raise RunNotCancellable(
                f"The run {show_id(RUN_PREFIX, run)} has {before.value}; only an unfinished run can be cancelled."
            )
        await self._tell_cancelled(tenant, [run], milestones)
        return current

    async def cancel_about(self, tenant: TenantId, subject: str) -> None:
        """End every unfinished run about the subject; one that ends by itself meanwhile is fine."""
        async with self._database.tenant(tenant) as transaction:
            runs = [RunId(row["id"]) for row in await store.find_unfinished(transaction, subject)]
        milestones: tuple[Milestone, ...] = ()
        for run in runs:
            async with self._database.tenant(tenant) as transaction:
                milestones += (await end_run(transaction, run, RunStatus.CANCELLED))[1]
        if runs:
            await self._tell_cancelled(tenant, runs, milestones)

    async def _tell_cancelled(self, tenant: TenantId, runs: Sequence[RunId], milestones: Sequence[Milestone]) -> None:
        """Cancel what the runs have started, which sweeping would find a second later, and stop it all at once."""
        told, parents = list(milestones), list(runs)
        while parents:
            async with self._database.tenant(tenant) as transaction:
                rows = await waits_store.find_children(transaction, parents, MAX_CHILDREN)
            parents = [RunId(row["id"]) for row in rows]
            for child in parents:
                async with self._database.tenant(tenant) as transaction:
                    told += (await end_run(transaction, child, RunStatus.CANCELLED))[1]
        await self._doorbell.ring_cancelled()
        await publish_now(self._valkey, told)

    async def forget_in(self, transaction: TenantTransaction, subject: str) -> tuple[RunId, ...]:
        """Delete all runs about the subject, with outputs and stories; call `forget_live` after the commit."""
        return tuple(RunId(row["id"]) for row in await store.delete_runs(transaction, subject))

    async def forget_live(self, tenant: TenantId, runs: Sequence[RunId]) -> None:
        """Delete what Valkey holds of the runs; what is left while it is away expires within an hour."""
        keys = [key for run in runs for key in stream_keys(tenant, run)]
        with suppress(*ValkeyGone):
            if keys:
                await self._valkey.delete(*keys)


def callers_key(key: str | None) -> str | None:
    """What a caller named its request, as a key of a run; None for none. InvalidInput for one that cannot be kept.

    Keys such as `retry:<run>` are the platform's own: whoever could take one first would keep a run from its retry.
    """
    if key is None:
        return None
    _check_key(key, MAX_KEY_CHARACTERS)
    return _CALLERS + key


def key_reused(key: str) -> IdempotencyKeyReused:
    """The refusal of an idempotency key that stands for other work."""
    return IdempotencyKeyReused(
        f"The idempotency key {key.removeprefix(_CALLERS)[:40]!r} was used before for other work. Send a new key."
    )


def _check_terms(idempotency_key: str | None, urgency: Urgency) -> None:
    if idempotency_key is not None:
        _check_key(idempotency_key, MAX_KEY_CHARACTERS + len(_CALLERS))
    if urgency.cost_ceiling_micros is not None and urgency.cost_ceiling_micros < 0:
        raise InvalidInput(f"cost_ceiling_micros is {urgency.cost_ceiling_micros}; it must not be negative.")
    if not -100 <= urgency.priority <= 100:
        raise InvalidInput(f"priority is {urgency.priority}; it must be between -100 and 100.")


def _check_key(key: str, most: int) -> None:
    if not (1 <= len(key) <= most and key.isprintable()):
        raise InvalidInput(
            f"The idempotency key has {len(key)} characters; use 1 to {most} printable ones, such as a UUID."
        )

"""The platform and one worker in the process of a test; see the package."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import httpx

from mainspring.application.identity import Role, operator
from mainspring.entry.ending import end_all
from mainspring.entry.rounds import build_rounds
from mainspring.entry.wiring import Platform, build
from mainspring.foundation.engines import EmbeddedEngines, EngineUrls
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.principal import Principal
from mainspring.foundation.settings import Settings, load_settings
from mainspring.inference.gateway.testing import MODEL, ScriptedProvider, ScriptedReply
from mainspring.migrations import migrate
from mainspring.orchestration.agents.types import ThreadId
from mainspring.orchestration.approvals import Approval, Verdict
from mainspring.orchestration.approvals.types import Json
from mainspring.orchestration.pipelines import Pipeline, Pipelines, Run, RunEvent, RunId, Step, StepStatus, Worker
from mainspring.orchestration.products import Product

from .clock import TurnedClock
from .people import find_question, make_person, open_http
from .talking import Said, order_words, read_thread

Output = TypeVar("Output")

_MOVING = {StepStatus.READY, StepStatus.RUNNING, StepStatus.GATHERING}
_LOOK_SECONDS = 0.01
_ROUNDS = {"outbox", "schedules", "bulk_actions", "agents", "approvals"}
"""What is done here of all that a worker does beside its steps. Deliveries and knowledge are not tended."""


class Kit:
    """One tenant of a running platform; made by `running`.

    model    the scripted provider: `requests` holds what it was asked
    clock    the platform's clock
    """

    def __init__(self, platform: Platform, worker: Worker, model: ScriptedProvider, clock: TurnedClock) -> None:
        self.platform = platform
        self.model = model
        self.clock = clock
        self._worker = worker
        self._rounds = [each for each in build_rounds(platform, asyncio.Event()) if each.name in _ROUNDS]
        self._tenant: TenantId | None = None
        self._tenants: dict[TenantId, None] = {}

    @property
    def tenant(self) -> TenantId:
        """The tenant on whose behalf everything is done."""
        assert self._tenant is not None
        return self._tenant

    @property
    def operator(self) -> Principal:
        """Who may do anything for the tenant."""
        return operator(self.tenant)

    @property
    def pipelines(self) -> Pipelines:
        """The door to runs, for what the kit has no shorter word for."""
        return self.platform.orchestration.pipelines

    async def new_tenant(self) -> TenantId:
        """Work for a fresh tenant from now on; answers its id."""
        slug = show_id("t", new_id()).replace("_", "-")
        self.work_for((await self.platform.identity.create_tenant(slug, "Test tenant")).id)
        return self.tenant

    def work_for(self, tenant: TenantId) -> None:
        """Do everything on behalf of this tenant from now on."""
        self._tenant = tenant
        self._tenants[tenant] = None

    def person(self, role: Role | str = Role.ANALYST) -> Principal:
        """Somebody new in the tenant, with the rights of the role."""
        return make_person(self.tenant, Role(role))

    def http(self, by: Principal | None = None) -> httpx.AsyncClient:
        """The API with the products' routes, without a socket; `by` is a new analyst unless you say who."""
        return open_http(self.platform, by or self.person())

    async def submit(
        self, pipeline: Pipeline, submitted: object, *, idempotency_key: str | None = None, by: Principal | None = None
    ) -> Run:
        """Begin a run for the tenant, or for one of its people."""
        return await self.pipelines.submit(self.tenant, pipeline, submitted, idempotency_key=idempotency_key, by=by)

    async def settle(self, run: Run, *, within: timedelta = timedelta(seconds=30)) -> Run:
        """Wait until the run has ended or only waits for time or for somebody; TimeoutError after `within`."""
        async with asyncio.timeout(within.total_seconds()):
            while True:
                found = await self.pipelines.get_run(self.tenant, run.id)
                if not await self._moves(found):
                    await self.tend()
                    return found
                await asyncio.sleep(_LOOK_SECONDS)

    async def _moves(self, run: Run) -> bool:
        """Whether it goes on by itself, or a run that it waits for does, or has ended and is still to be told of."""
        if run.status.is_final:
            return False
        for step in run.steps:
            kind, _, child = (step.awaited or "").partition(":")
            if kind == "run" and step.status is StepStatus.SUSPENDED:
                found = await self.pipelines.get_run(self.tenant, RunId(UUID(child)))
                if found.status.is_final or await self._moves(found):
                    return True
            elif _is_moving(step):
                return True
        return False

    def pipeline(self, name: str) -> Pipeline:
        """The newest version of one of the products' pipelines; LookupError when none has the name."""
        found = [each for each in self.platform.orchestration.brought.pipelines if each.name == name]
        if not found:
            raise LookupError(f"no product brings a pipeline named {name}")
        return max(found, key=lambda each: each.version)

    async def signal(self, run: Run, name: str, payload: object, *, key: str = "once") -> None:
        """Tell a run what it waits for."""
        await self.pipelines.signal(self.tenant, run.id, name, payload, key=key)

    async def asked(self, waiting: Run | Said) -> Approval:
        """What the run or the agent's thread asks of people; LookupError when it asks nothing, or several things."""
        run = waiting.run if isinstance(waiting, Said) else waiting.id
        if run is None:
            raise LookupError("the thread has not been run yet; nothing is asked")
        return await find_question(self.platform.orchestration.approvals, self.operator, run)

    async def decide(
        self,
        waiting: Run | Said,
        verdict: Verdict | str = Verdict.APPROVE,
        *,
        by: Principal | None = None,
        reason: str | None = None,
        edited_arguments: Json = None,
    ) -> Approval:
        """Answer what is asked, as a new reviewer unless you say who. Raises as `Approvals.decide`."""
        asked = await self.asked(waiting)
        decided = await self.platform.orchestration.approvals.decide(
            by or self.person(Role.REVIEWER),
            asked.id,
            Verdict(verdict),
            digest=asked.digest,
            reason=reason,
            edited_arguments=edited_arguments,
        )
        await self.tend()
        return decided

    async def talk(
        self, agent: str, words: str, *, thread: ThreadId | None = None, by: Principal | None = None
    ) -> Said:
        """Say something to an agent, and wait until it has answered or waits for a person."""
        by = by or self.person()
        thread = thread or ThreadId(new_id())
        await self.platform.orchestration.agents.runtime.runs.submit(by, order_words(agent, words, thread))
        return await self.listen(agent, thread)

    async def listen(self, agent: str, thread: ThreadId, *, within: timedelta = timedelta(seconds=30)) -> Said:
        """How a thread stands once its runs are over, such as the one that a decision began."""
        runtime = self.platform.orchestration.agents.runtime
        await self.tend()
        (last, *_) = await runtime.runs.list_of_thread(self.tenant, thread, limit=1)
        last = await runtime.runs.wait(self.tenant, last.id, timeout=within)
        await self.tend()
        return await read_thread(runtime, self.operator, agent, last)

    async def finish(self, pipeline: Pipeline, submitted: object) -> Run:
        """Begin a run and wait until it settles."""
        return await self.settle(await self.submit(pipeline, submitted))

    async def output(self, run: Run, step: str, kind: type[Output]) -> Output:
        """What a step of the run returned; NotFound while it has not."""
        return await self.pipelines.get_output(self.tenant, run.id, step, kind)

    async def story(self, run: Run) -> list[RunEvent]:
        """Everything that was told of a run which has ended, in order."""
        async with self.platform.orchestration.live.follow(self.tenant, run.id, None) as following:
            told: list[RunEvent] = []
            while not following.is_over:
                told += await following.batch(1.0)
            return told

    async def pass_time(self, ahead: timedelta) -> None:
        """Turn the clock, and return when all that became due has been taken up."""
        self.clock.turn(ahead)
        while await self._worker.sweep_now():
            pass  # others' waits on the same engines are due as well
        await self.tend()

    async def tend(self) -> None:
        """What a worker does beside its steps, once: hand events to subscribers, fire schedules, expire questions."""
        for each in self._rounds:
            for duty in each.duties.values():
                await duty()

    async def leave(self) -> None:
        """Cancel what its tenants have not finished, so that no other kit's worker takes it up; `running` does it."""
        await end_all(self.platform.orchestration, self._tenants)


@contextmanager
def engines(folder: Path | None = None) -> Generator[EngineUrls]:
    """Migrated engines for a block; share them between tests (a session fixture), as starting takes seconds."""
    with tempfile.TemporaryDirectory() as temporary:
        embedded = EmbeddedEngines(folder or Path(temporary), is_durable=False)
        try:
            urls = embedded.start()
            migrate(urls.database_admin_url, login=urls.login)
            yield urls
        finally:
            embedded.stop()


@asynccontextmanager
async def running(
    *products: Product,
    replies: Sequence[ScriptedReply] = (ScriptedReply("Yes."),),
    on: EngineUrls | None = None,
    keeps_runs: bool = False,
) -> AsyncGenerator[Kit]:
    """A platform with these products, a worker and a fresh tenant.

    At the end what its tenants have not finished is cancelled and undone, within 5 seconds.

    replies     what the model says, in order; the last one for ever
    on          engines that are running; None starts some for this block
    keeps_runs  leave what is not finished to the next kit on the engines, as one deployment does to the next
    """
    if on is None:
        with engines() as started:
            async with running(*products, replies=replies, on=started, keeps_runs=keeps_runs) as kit:
                yield kit
        return
    clock, stop = TurnedClock(), asyncio.Event()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            ScriptedProvider(replies) as model,
            build(_settings(Path(folder), on, model), clock=clock, products=products) as platform,
        ):
            pipelines = platform.orchestration.all_pipelines
            worker = Worker(platform.database, platform.valkey, pipelines=pipelines)
            kit = Kit(platform, worker, model, clock)
            await kit.new_tenant()
            async with asyncio.TaskGroup() as group:
                group.create_task(worker.run(stop, grace=timedelta(seconds=1)))
                try:
                    yield kit
                finally:
                    if not keeps_runs:
                        await kit.leave()
                    stop.set()


def _is_moving(step: Step) -> bool:
    """Whether it goes on by itself: one that waits for its next attempt does, one that waits for a signal does not."""
    return step.status in _MOVING or (step.status is StepStatus.WAITING and step.attempt > 0)


def _settings(folder: Path, urls: EngineUrls, model: ScriptedProvider) -> Settings:
    return load_settings(
        data_dir=folder,
        database_url=urls.database_url,
        valkey_url=urls.valkey_url,
        models_url=model.url,
        openai_base_url=model.url,
        openai_api_key="scripted",
        model=f"openai/{MODEL}",
    )

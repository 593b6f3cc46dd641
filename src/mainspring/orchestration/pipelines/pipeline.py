"""Declaring a pipeline: a DAG of plain async functions, checked completely where it is declared.

    review = Pipeline("contracts.review", version=1)

    @review.step("chunk", title="Split into clauses")
    async def chunk(submitted: Upload, run: StepRun) -> Chunks: ...

    @review.step("classify", title="Classify clauses", after=("chunk",), each="chunk.clauses", tolerance=0.1)
    async def classify(clause: Clause, run: StepRun) -> Label: ...

    @review.step("assess", title="Assess", after=("classify",))
    async def assess(labels: Gathered[Label], run: StepRun) -> Assessed: ...

A first step receives the run's input. A step after one other may ask for that step's output type
itself. In every case it may ask for a frozen dataclass whose fields are named after the steps it
follows, plus `submitted` for the run's input; the engine assembles it. A step with `each` is run once
for every item of a list, and the steps after it receive all it gave as `Gathered`.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar, get_args, get_origin

from .errors import PipelineInvalid
from .fitting import SUBMITTED, Signature, StepFunction, fit_item, fit_parts, gathered_of, read_signature
from .flow import Undo
from .pools import PooledFunction, read_pooled_signature
from .types import ProcessPool, StepRun

Input = TypeVar("Input")
Output = TypeVar("Output")
_Step = Callable[[Input, StepRun], Awaitable[Output]]
_Function = TypeVar("_Function", bound=Callable[..., Any])

UNDO = "undo:"
"""The name of a compensation is this and the name of the step it undoes: no step can be called so."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PIPELINE_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,4}")
_ALWAYS = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """One declared step, or the compensation of one.

    output_type  what the function gives, or what it waits for
    parts        None: the input is the run's input, the one predecessor's output or one item, as it is;
                 else field name -> type of the dataclass to assemble
    retries      how often it is run again after it raised
    concurrency  how many may run at once over all workers and tenants; None for no cap
    concurrency_per_tenant  the same within each tenant
    priority     is added to that of the run
    pool         None: in the worker's event loop
    each         path of the list it is run for the items of
    tolerance    share of the items that may fail, 0 to 1
    gathers      those of the steps it follows that fan out
    undoes       name of the step that this one is the compensation of, and `undone_type` what that step gives
    """

    name: str
    title: str
    function: StepFunction
    after: tuple[str, ...]
    input_type: Any
    output_type: Any
    parts: dict[str, Any] | None
    retries: int
    timeout: timedelta
    concurrency: int | None = None
    concurrency_per_tenant: int | None = None
    priority: int = 0
    pool: ProcessPool | None = None
    each: str | None = None
    tolerance: float = 0.0
    can_wait: bool = False
    gathers: frozenset[str] = frozenset()
    undoes: str | None = None
    undone_type: Any = None

    @property
    def gives(self) -> Any:
        """The type that the steps after it receive."""
        return gathered_of(self.output_type) if self.each else self.output_type


class Pipeline:
    """A named, versioned DAG of steps. Change what steps mean, and the version must go up.

    A run keeps to the version it was submitted with; workers claim only versions they hold.

    cost_ceiling_micros  a run that spends more fails with `cost_ceiling_reached`; None for no ceiling
    compensate           False: declared compensations are left alone when a run fails or is cancelled
    """

    def __init__(
        self, name: str, *, version: int, cost_ceiling_micros: int | None = None, compensate: bool = True
    ) -> None:
        if not _PIPELINE_NAME.fullmatch(name) or len(name) > 100:
            raise PipelineInvalid(f"pipeline name {name!r} must be dotted snake_case of at most 100 characters")
        if version < 1:
            raise PipelineInvalid(f"pipeline {name} has version {version}; versions start at 1")
        if cost_ceiling_micros is not None and cost_ceiling_micros < 0:
            raise PipelineInvalid(f"pipeline {name} has a cost ceiling of {cost_ceiling_micros}; it must not be < 0")
        self.name = name
        self.version = version
        self.cost_ceiling_micros = cost_ceiling_micros
        self.compensate = compensate
        self._steps: dict[str, StepDefinition] = {}
        self._compensations: dict[str, StepDefinition] = {}

    @property
    def steps(self) -> tuple[StepDefinition, ...]:
        """The steps in order of declaration, each after the ones it follows."""
        return tuple(self._steps.values())

    @property
    def compensations(self) -> tuple[StepDefinition, ...]:
        """What undoes steps, in order of declaration."""
        return tuple(self._compensations.values())

    def get_step(self, name: str) -> StepDefinition:
        """The step of that name, or `undo:<name>`; PipelineInvalid when there is none."""
        known = {**self._steps, **self._compensations}
        if name not in known:
            raise PipelineInvalid(f"pipeline {self.name} has no step {name!r}; it has {', '.join(known)}")
        return known[name]

    def lane(self, step: str) -> str:
        """The queue a step waits in: workers claim lanes."""
        return f"{self.name}@{self.version}/{step}"

    def undo_lane(self, step: str) -> str | None:
        """Where the step's compensation would wait; None when it has none, or the pipeline compensates nothing."""
        return self.lane(UNDO + step) if self.compensate and UNDO + step in self._compensations else None

    def step(  # noqa: PLR0913 - the terms of a step are told where it is declared, by name
        self,
        name: str,
        *,
        title: str,
        after: tuple[str, ...] = (),
        each: str | None = None,
        tolerance: float = 0.0,
        retries: int = 3,
        timeout: timedelta = _ALWAYS,
        concurrency: int | None = None,
        concurrency_per_tenant: int | None = None,
        priority: int = 0,
        pool: ProcessPool | None = None,
    ) -> Callable[[_Function], _Function]:
        """Declare the decorated function as a step; PipelineInvalid tells what does not fit.

        title      shown to people: "Read the document"
        after      names of steps declared before, all of which must succeed first
        each       path of a list in what it follows, `chunk.clauses`: the function is run once for every item, at
                   most 10,000, in parallel; what follows receives `Gathered`
        tolerance  share of the items that may fail for good, 0 to 1, before the step does
        timeout    of one attempt; it then counts as failed and may be retried
        concurrency, concurrency_per_tenant  how many may run at once, everywhere and within one tenant
        priority   -100 to 100, added to that of the run
        pool       run it in processes of its own: for what is hungry, computes for long, or may crash. The function
                   is then a plain `def` of a module, with or without a `run: PooledRun`
        """

        def declare(function: _Function) -> _Function:
            where = f"step {name!r} of pipeline {self.name}"
            self._check(name, after)
            _check_terms(
                where, each=each, tolerance=tolerance, priority=priority, caps=(concurrency, concurrency_per_tenant)
            )
            signature = read_pooled_signature(function, where) if pool else read_signature(function, where)
            self._steps[name] = StepDefinition(
                name=name,
                title=title,
                function=PooledFunction(function, pool, where) if pool else function,
                after=after,
                input_type=signature.input_type,
                output_type=signature.output_type,
                parts=self._parts(after, each, signature, where),
                retries=retries,
                timeout=timeout,
                concurrency=concurrency,
                concurrency_per_tenant=concurrency_per_tenant,
                priority=priority,
                pool=pool,
                each=each,
                tolerance=tolerance,
                can_wait=signature.can_wait,
                gathers=frozenset(earlier for earlier in after if self._steps[earlier].each),
            )
            return function

        return declare

    def compensation(
        self, step: str, *, retries: int = 10, timeout: timedelta = _ALWAYS
    ) -> Callable[[_Step[Input, None]], _Step[Input, None]]:
        """Declare what undoes a step: run when the run fails or is cancelled after the step has succeeded.

        Compensations run one after the other, the last step's first; of a fan-out, once for each item that succeeded.
        Each may be attempted more than once: hand `run.idempotency_key` to whatever must happen once.

        step  declared before; the function takes `Undo[Input, Output]` of that step
        """

        def declare(function: _Step[Input, None]) -> _Step[Input, None]:
            where = f"the compensation of step {step!r} of pipeline {self.name}"
            undone = self._steps.get(step)
            if undone is None or UNDO + step in self._compensations:
                raise PipelineInvalid(f"{where} must be declared once, after the step itself")
            signature = read_signature(function, where)
            kind = signature.input_type
            if get_origin(kind) is not Undo or get_args(kind) != (undone.input_type, undone.output_type):
                raise PipelineInvalid(f"{where} must take Undo[Input, Output] of that step, not {kind}")
            if signature.output_type is not type(None) or signature.can_wait:
                raise PipelineInvalid(f"{where} must return None")
            self._compensations[UNDO + step] = StepDefinition(
                name=UNDO + step,
                title=f"Undo: {undone.title}",
                function=function,
                after=() if undone.each else undone.after,
                input_type=undone.input_type,
                output_type=type(None),
                parts=undone.parts,
                retries=retries,
                timeout=timeout,
                gathers=undone.gathers,
                undoes=step,
                undone_type=undone.output_type,
            )
            return function

        return declare

    def discover(self, package: str, *services: object) -> None:
        """Let every module directly in `package` declare its steps, in the order of their names.

        Each module has a function `declare(pipeline, *services)`. So a step in a file of its own changes no other
        file; modules whose names start with an underscore are left out.
        raises   PipelineInvalid when there is no such package, or a module of it has no `declare`
        """
        try:
            paths = import_module(package).__path__
        except (ModuleNotFoundError, AttributeError) as missing:
            raise PipelineInvalid(f"{package!r} is not a package of steps: {missing}") from missing
        for name in sorted(found.name for found in iter_modules(paths) if not found.name.startswith("_")):
            declare = getattr(import_module(f"{package}.{name}"), "declare", None)
            if not callable(declare):
                raise PipelineInvalid(f"{package}.{name} has no function declare(pipeline, *services)")
            declare(self, *services)

    def _check(self, name: str, after: tuple[str, ...]) -> None:
        if not _NAME.fullmatch(name) or name == SUBMITTED:
            raise PipelineInvalid(f"step name {name!r} must be snake_case of at most 63 characters, not {SUBMITTED!r}")
        if name in self._steps:
            raise PipelineInvalid(f"pipeline {self.name} has two steps named {name!r}; step names are never reused")
        unknown = [earlier for earlier in after if earlier not in self._steps]
        if unknown or len(set(after)) != len(after):
            raise PipelineInvalid(f"step {name!r} comes after {after}; each must be declared before it, and once")

    def _parts(
        self, after: tuple[str, ...], each: str | None, signature: Signature, where: str
    ) -> dict[str, Any] | None:
        given = {earlier: self._steps[earlier].gives for earlier in after}
        if each is None:
            return fit_parts(signature.input_type, given, where)
        first = next((step for step in self.steps if not step.after and not step.each), None)
        submitted = {SUBMITTED: first.input_type} if first else {}
        if each.partition(".")[0] != SUBMITTED or first:
            fit_item(signature.input_type, each, {**submitted, **given}, where)
        return None


def _check_terms(
    where: str, *, each: str | None, tolerance: float, priority: int, caps: tuple[int | None, int | None]
) -> None:
    if not 0 <= tolerance <= 1 or (tolerance and not each):
        raise PipelineInvalid(f"{where} has tolerance {tolerance}; it is a share from 0 to 1 of the items of `each`")
    if not -100 <= priority <= 100:
        raise PipelineInvalid(f"{where} has priority {priority}; it must be between -100 and 100")
    if any(cap is not None and cap < 1 for cap in caps):
        raise PipelineInvalid(f"{where} may never run: a cap on what runs at once must be at least 1")

"""Declaring a pipeline: a DAG of plain async functions, checked completely where it is declared.

    pipeline = Pipeline("contracts.analyze", version=1)

    @pipeline.step("parse", title="Read the document")
    async def parse(submitted: Upload, run: StepRun) -> Parsed: ...

    @pipeline.step("chunk", title="Split into clauses", after=("parse",))
    async def chunk(parsed: Parsed, run: StepRun) -> Chunks: ...

A first step receives the run's input. A step after one other may ask for that step's output type
itself. In every case it may ask for a frozen dataclass whose fields are named after the steps it
follows, plus `submitted` for the run's input; the engine assembles it.
"""

import dataclasses
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, get_type_hints

from .errors import PipelineInvalid
from .types import StepRun

Input = TypeVar("Input")
Output = TypeVar("Output")
StepFunction = Callable[[Any, StepRun], Awaitable[Any]]

SUBMITTED = "submitted"
"""The field name that stands for the run's input in an assembled step input."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PIPELINE_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,4}")


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """One declared step.

    parts        None: the input is the run's input or the one predecessor's output as it is;
                 else field name -> type of the dataclass to assemble
    retries      how often it is run again after it raised
    concurrency  how many may run at once over all workers and tenants; None for no cap
    """

    name: str
    title: str
    function: StepFunction
    after: tuple[str, ...]
    input_type: type
    output_type: type
    parts: dict[str, Any] | None
    retries: int
    timeout: timedelta
    concurrency: int | None


class Pipeline:
    """A named, versioned DAG of steps. Change what steps mean, and the version must go up.

    A run keeps to the version it was submitted with; workers claim only versions they hold.
    """

    def __init__(self, name: str, *, version: int) -> None:
        if not _PIPELINE_NAME.fullmatch(name) or len(name) > 100:
            raise PipelineInvalid(f"pipeline name {name!r} must be dotted snake_case of at most 100 characters")
        if version < 1:
            raise PipelineInvalid(f"pipeline {name} has version {version}; versions start at 1")
        self.name = name
        self.version = version
        self._steps: dict[str, StepDefinition] = {}

    @property
    def steps(self) -> tuple[StepDefinition, ...]:
        """The steps in order of declaration, each after the ones it follows."""
        return tuple(self._steps.values())

    def get_step(self, name: str) -> StepDefinition:
        """The step of that name; PipelineInvalid when there is none."""
        if name not in self._steps:
            raise PipelineInvalid(f"pipeline {self.name} has no step {name!r}; it has {', '.join(self._steps)}")
        return self._steps[name]

    def lane(self, step: str) -> str:
        """The queue a step waits in: workers claim lanes."""
        return f"{self.name}@{self.version}/{step}"

    def step(
        self,
        name: str,
        *,
        title: str,
        after: tuple[str, ...] = (),
        retries: int = 3,
        timeout: timedelta = timedelta(minutes=10),
        concurrency: int | None = None,
    ) -> Callable[[Callable[[Input, StepRun], Awaitable[Output]]], Callable[[Input, StepRun], Awaitable[Output]]]:
        """Declare the decorated function as a step; PipelineInvalid tells what does not fit.

        title    shown to people: "Read the document"
        after    names of steps declared before, all of which must succeed first
        timeout  of one attempt; it then counts as failed and may be retried
        """

        def declare(
            function: Callable[[Input, StepRun], Awaitable[Output]],
        ) -> Callable[[Input, StepRun], Awaitable[Output]]:
            self._check(name, after)
            input_type, output_type = _types_of(function, f"step {name!r} of pipeline {self.name}")
            self._steps[name] = StepDefinition(
                name=name,
                title=title,
                function=function,
                after=after,
                input_type=input_type,
                output_type=output_type,
                parts=self._parts(name, after, input_type),
                retries=retries,
                timeout=timeout,
                concurrency=concurrency,
            )
            return function

        return declare

    def _check(self, name: str, after: tuple[str, ...]) -> None:
        if not _NAME.fullmatch(name) or name == SUBMITTED:
            raise PipelineInvalid(f"step name {name!r} must be snake_case of at most 63 characters, not {SUBMITTED!r}")
        if name in self._steps:
            raise PipelineInvalid(f"pipeline {self.name} has two steps named {name!r}; step names are never reused")
        unknown = [earlier for earlier in after if earlier not in self._steps]
        if unknown or len(set(after)) != len(after):
            raise PipelineInvalid(f"step {name!r} comes after {after}; each must be declared before it, and once")

    def _parts(self, name: str, after: tuple[str, ...], input_type: type) -> dict[str, Any] | None:
        """The fields to assemble, or None when the input is handed over as it is."""
        if not after or (len(after) == 1 and self._steps[after[0]].output_type == input_type):
            return None
        allowed = {SUBMITTED, *after}
        names = (
            {each.name for each in dataclasses.fields(input_type)} if dataclasses.is_dataclass(input_type) else set()
        )
        if not names or not names <= allowed:
            raise PipelineInvalid(
                f"step {name!r} of pipeline {self.name} takes {input_type.__name__}; after {', '.join(after)} it must "
                f"be that step's output type, or a frozen dataclass with fields among {', '.join(sorted(allowed))}"
            )
        hints = get_type_hints(input_type)
        for part in names - {SUBMITTED}:
            if hints[part] != self._steps[part].output_type:
                raise PipelineInvalid(
                    f"field {part!r} of {input_type.__name__} must have the type step {part!r} returns"
                )
        return {each: hints[each] for each in names}


def _types_of(function: StepFunction, where: str) -> tuple[type, type]:
    try:
        hints = get_type_hints(function)
    except NameError as missing:
        raise PipelineInvalid(f"{where} has an annotation that cannot be resolved: {missing}") from missing
    output_type = hints.pop("return", None)
    if len(hints) != 2 or output_type is None:
        raise PipelineInvalid(
            f"{where} must be `async def name(input: Input, run: StepRun) -> Output`, fully annotated"
        )
    return next(iter(hints.values())), output_type

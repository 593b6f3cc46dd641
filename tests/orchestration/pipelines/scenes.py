"""Pipelines that the tests run, and a client that watches them as a browser would."""

import asyncio
import os
from dataclasses import dataclass, field

from mainspring.orchestration.pipelines import EventType, FindingAdded, Pipeline, RunEvent, StepRun


@dataclass(frozen=True, slots=True)
class Number:
    """The input and output of most steps here."""

    value: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Both branches and what was submitted."""

    left: Number
    right: Number
    submitted: Number


def diamond(name: str = "tests.diamond") -> Pipeline:
    """root -> left, right -> join."""
    pipeline = Pipeline(name, version=1)

    @pipeline.step("root", title="Start")
    async def root(number: Number, run: StepRun) -> Number:
        return Number(number.value + 1)

    @pipeline.step("left", title="Double", after=("root",))
    async def left(number: Number, run: StepRun) -> Number:
        return Number(number.value * 2)

    @pipeline.step("right", title="Square", after=("root",))
    async def right(number: Number, run: StepRun) -> Number:
        return Number(number.value**2)

    @pipeline.step("join", title="Add", after=("left", "right"))
    async def join(pair: Pair, run: StepRun) -> Number:
        return Number(pair.left.value + pair.right.value + pair.submitted.value * 1000)

    return pipeline


def spoken(message: str, words: int) -> str:
    """What `talkative` says in a message."""
    return "".join(f"{message}-{word} " for word in range(words))


def talkative(*, words: int = 12, pause: float = 0.01, name: str = "tests.talkative") -> Pipeline:
    """Two steps that speak at the same time, and one that joins them."""
    pipeline = Pipeline(name, version=1)

    async def speak(run: StepRun, message: str) -> None:
        for word in range(words):
            await run.delta(message, f"{message}-{word} ")
            await run.progress(word + 1, words, f"{word + 1} of {words}")
            await asyncio.sleep(pause)
        await run.announce(FindingAdded(f"{message}-finding", "high", "A finding", f"Found by {message}"))

    @pipeline.step("left", title="Left")
    async def left(number: Number, run: StepRun) -> Number:
        await speak(run, "left_text")
        return number

    @pipeline.step("right", title="Right")
    async def right(number: Number, run: StepRun) -> Number:
        await speak(run, "right_text")
        return number

    @pipeline.step("join", title="Join", after=("left", "right"))
    async def join(pair: Pair, run: StepRun) -> Number:
        await run.say("All said")
        return pair.left

    return pipeline


def poisonous(name: str) -> Pipeline:
    """A step that ends its process for a negative number, and takes as many tenths of a second for others."""
    pipeline = Pipeline(name, version=1)

    @pipeline.step("act", title="Act", concurrency=None)
    async def act(number: Number, run: StepRun) -> Number:
        await asyncio.sleep(max(number.value, 2) / 10)
        if number.value < 0:
            os._exit(3)
        return number

    return pipeline


@dataclass(slots=True)
class Client:
    """Puts a run together from its events, by the rules of the room's README."""

    events: list[RunEvent] = field(default_factory=list[RunEvent])
    texts: dict[str, str] = field(default_factory=dict[str, str])
    speakers: dict[str, str] = field(default_factory=dict[str, str])

    def take(self, event: RunEvent) -> None:
        """One more event: its id must be above all earlier ones."""
        if self.events and event.type is not EventType.SNAPSHOT:
            assert event.id > self.events[-1].id, f"{event.id} after {self.events[-1].id}"
        self.events.append(event)
        match event.type:
            case EventType.STEP_STARTED:
                for message in [name for name, step in self.speakers.items() if step == event.facts["step"]]:
                    self.texts.pop(message, None)
            case EventType.MESSAGE_DELTA:
                message, delta = str(event.facts["message"]), str(event.facts["delta"])
                self.speakers[message] = str(event.facts["step"])
                self.texts[message] = delta if event.facts.get("reset") else self.texts[message] + delta
            case EventType.SNAPSHOT:
                messages = event.facts["messages"]
                assert isinstance(messages, dict)
                self.texts.update(messages)
            case _:
                pass

    @property
    def milestones(self) -> list[tuple[int, EventType]]:
        """The story without what lives in Valkey only."""
        return [(event.id.milestone, event.type) for event in self.events if event.id.live == 0]

    @property
    def has_ended(self) -> bool:
        """Whether the last event is the run's end."""
        return bool(self.events) and self.events[-1].type is EventType.RUN_FINISHED

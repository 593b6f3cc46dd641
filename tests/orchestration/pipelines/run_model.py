"""A run as it should be: the pure model that the engine is held against.

The pipeline is `root -> fan (each) , ask (waits) -> join`; `root` and the items of `fan` can be undone. The model
knows nothing of leases' tokens, transactions or SQL: only what each thing that may happen makes of the run.
"""

from dataclasses import dataclass, field

Place = tuple[str, str]

ROOT, FAN, ASK, JOIN = ("root", ""), ("fan", ""), ("ask", ""), ("join", "")
UNDO_FAN, UNDO_ROOT = ("undo:fan", ""), ("undo:root", "")
UNFINISHED = {"waiting", "ready", "running", "suspended", "gathering"}
MAX_LOSSES = 5
SUSPECT_FROM = 2


def item(index: int) -> Place:
    """The place of an item."""
    return "fan", f"{index:05}"


@dataclass(slots=True)
class RunModel:
    """What is known of the run. `tolerated` items may fail; `due` and `wake` are instants of the moved clock."""

    tolerated: int
    status: str = "queued"
    ending: str = ""
    now: float = 0.0
    has_signal: bool = False
    left: int = 0
    failed: int = 0
    steps: dict[Place, str] = field(
        default_factory=lambda: {ROOT: "ready", FAN: "waiting", ASK: "waiting", JOIN: "waiting"}
    )
    due: dict[Place, float] = field(default_factory=dict[Place, float])
    losses: dict[Place, int] = field(default_factory=dict[Place, int])
    wake: float = 0.0
    succeeded: set[Place] = field(default_factory=set[Place])
    letters: set[Place] = field(default_factory=set[Place])

    @property
    def is_over(self) -> bool:
        return self.status in {"succeeded", "failed", "cancelled"}

    def of(self, status: str) -> list[Place]:
        """Places in that state."""
        return sorted(place for place, each in self.steps.items() if each == status)

    def claim(self, place: Place) -> None:
        assert self.steps[place] == "ready"
        self.steps[place] = "running"
        self.status = "running" if self.status == "queued" else self.status

    def retry(self, place: Place, delay: float) -> None:
        self.steps[place], self.due[place] = "waiting", self.now + delay

    def lose(self, place: Place, *, is_alone: bool) -> None:
        """Its lease has passed and was swept; a suspect's loss counts only when it ran alone."""
        before, self.steps[place] = self.losses.get(place, 0), "ready"
        if before >= SUSPECT_FROM and not is_alone:
            return
        if before >= MAX_LOSSES:
            self.steps[place] = "running"
            self.fail(place)
            return
        self.losses[place] = before + 1

    def fan_out(self, count: int) -> None:
        self.steps[FAN], self.left, self.failed = "gathering", count, 0
        self.steps.update((item(index), "ready") for index in range(count))
        self._gather(FAN, self.tolerated)

    def suspend(self, expires: float) -> None:
        self.steps[ASK], self.wake = "suspended", self.now + expires
        if self.has_signal:
            self.succeed(ASK)

    def signal(self) -> None:
        self.has_signal = True
        if self.steps[ASK] == "suspended":
            self.succeed(ASK)

    def succeed(self, place: Place) -> None:
        self.steps[place] = "succeeded"
        self.succeeded.add(place)
        self._end(place)

    def fail(self, place: Place) -> None:
        self.steps[place] = "failed"
        self.letters.add(place)
        self._end(place)

    def advance(self, seconds: float) -> None:
        """The clock moves, and somebody sweeps."""
        self.now += seconds
        for place in [place for place, due in self.due.items() if due <= self.now]:
            del self.due[place]
            if self.steps[place] == "waiting":
                self.steps[place] = "ready"
        if self.steps[ASK] == "suspended" and self.wake <= self.now:
            self.fail(ASK)

    def close(self, ending: str) -> None:
        """Fail or cancel, undoing first what can be undone."""
        if self.is_over or self.status == "compensating":
            return
        self.ending = ending
        self.due.clear()
        for place, status in self.steps.items():
            if status in UNFINISHED:
                self.steps[place] = "cancelled"
        self.status = "compensating"
        self._undo_next()

    def _end(self, place: Place) -> None:
        name, key = place
        if key:
            self.left -= 1
            self.failed += self.steps[place] == "failed"
            self._gather((name, ""), self.tolerated if name == "fan" else 0)
        elif name.startswith("undo:"):
            self._undo_next()
        elif self.steps[place] == "failed":
            self.close("failed")
        else:
            self._go_on()

    def _gather(self, fan: Place, tolerated: int) -> None:
        is_undo = fan[0].startswith("undo:")
        if self.failed > tolerated and (self.left == 0 or not is_undo):
            self.steps[fan] = "failed"
        elif self.left == 0:
            self.steps[fan] = "succeeded"
        else:
            return
        self._end(fan)

    def _go_on(self) -> None:
        after = {FAN: (ROOT,), ASK: (ROOT,), JOIN: (FAN, ASK)}
        for place, earlier in after.items():
            is_fresh = self.steps[place] == "waiting" and place not in self.due
            if is_fresh and all(self.steps[each] == "succeeded" for each in earlier):
                self.steps[place] = "ready"
        if self.steps[JOIN] == "succeeded":
            self.status = "succeeded"

    def _undo_next(self) -> None:
        items = [place for place in self.succeeded if place[0] == "fan" and place[1]]
        if items and UNDO_FAN not in self.steps:
            self.steps[UNDO_FAN], self.left, self.failed = "gathering", len(items), 0
            self.steps.update((("undo:fan", key), "ready") for _, key in items)
        elif ROOT in self.succeeded and UNDO_ROOT not in self.steps:
            self.steps[UNDO_ROOT] = "ready"
        elif not any(self.steps.get(place) in UNFINISHED for place in (UNDO_FAN, UNDO_ROOT)):
            self.status = self.ending

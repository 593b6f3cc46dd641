"""Figures in the text format of Prometheus (version 0.0.4): a name, labels and a number a line."""

from collections.abc import Callable, Iterable, Mapping

from .figures import Figures, LaneFigures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_Sample = tuple[Mapping[str, object], float]
_Value = Callable[[LaneFigures], float]


def expose(figures: Figures) -> str:
    """The page that Prometheus reads."""
    lanes = figures.lanes
    families = [
        _gauge("mainspring_steps_ready", "Steps that wait for a worker.", _of(lanes, lambda lane: lane.ready)),
        _gauge("mainspring_steps_running", "Steps that workers run.", _of(lanes, lambda lane: lane.running)),
        _gauge(
            "mainspring_steps_suspended",
            "Steps that wait for a time, a signal or another run.",
            _of(lanes, lambda lane: lane.suspended),
        ),
        _gauge("mainspring_steps_retrying", "Steps that failed and wait.", _of(lanes, lambda lane: lane.retrying)),
        _gauge(
            "mainspring_oldest_ready_seconds",
            "How long the first ready step has waited.",
            _of(lanes, lambda lane: lane.oldest_seconds or 0.0),
        ),
        _gauge("mainspring_lane_held", "1 while the operator holds the lane.", _of(lanes, lambda lane: lane.is_held)),
        *_rates(lanes),
        _gauge(
            "mainspring_dead_letters_open",
            "Steps that failed for good and that nobody has decided about.",
            [({"pipeline": pipeline, "step": step}, n) for (pipeline, step), n in figures.letters.items()],
        ),
        _gauge("mainspring_holds", "Holds in force.", [({"kind": kind}, n) for kind, n in figures.holds.items()]),
        _gauge("mainspring_bulk_actions", "Decisions about many that go on.", [({}, figures.bulk_actions)]),
        _gauge(
            "mainspring_schedule_late_seconds",
            "How late the latest schedule is.",
            [({}, figures.schedule_late_seconds)],
        ),
        *_places(figures),
        *(_gauge(f"mainspring_{name}", "", [({}, value)]) for name, value in sorted(figures.more.items())),
    ]
    return "".join(families)


def _rates(lanes: Iterable[LaneFigures]) -> list[str]:
    known = [(lane, lane.rates) for lane in lanes if lane.rates]
    if not known:
        return []
    finished = [(_labels(lane), rates.finished_per_second) for lane, rates in known]
    failed = [(_labels(lane), rates.failed_per_second) for lane, rates in known]
    means = [(_labels(lane), rates.mean_seconds) for lane, rates in known if rates.mean_seconds is not None]
    return [
        _gauge("mainspring_steps_finished_per_second", "Steps that ended well, lately.", finished),
        _gauge("mainspring_steps_failed_per_second", "Attempts that failed, lately.", failed),
        _gauge("mainspring_step_mean_seconds", "How long a step takes, lately.", means),
    ]


def _places(figures: Figures) -> list[str]:
    places = figures.places
    return [
        _gauge("mainspring_workers", "Workers that are there.", [({}, places.workers)]),
        _gauge("mainspring_places_taken", "Steps that workers run now.", [({}, places.taken)]),
        _gauge("mainspring_places", "Steps that workers could run.", [({}, places.total)]),
    ]


def _of(lanes: Iterable[LaneFigures], value: _Value) -> list[_Sample]:
    return [(_labels(lane), value(lane)) for lane in lanes]


def _labels(lane: LaneFigures) -> Mapping[str, object]:
    return {"pipeline": lane.pipeline, "version": lane.version, "step": lane.step}


def _gauge(name: str, meaning: str, samples: Iterable[_Sample]) -> str:
    lines = [f"# HELP {name} {meaning}".rstrip(), f"# TYPE {name} gauge"]
    for labels, value in samples:
        shown = ",".join(f'{key}="{_escape(str(text))}"' for key, text in labels.items())
        lines.append(f"{name}{{{shown}}} {float(value):.10g}" if shown else f"{name} {float(value):.10g}")
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

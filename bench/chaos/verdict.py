"""What was promised, counted in the database, at the service outside and in the streams that were followed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from mainspring.foundation.db import Row

from .product import EFFECTS, PIPELINE, STEPS


@dataclass(slots=True)
class Verdict:
    """`facts` are what was counted; `broken` names every promise that was not kept, and is empty when all were."""

    facts: dict[str, object] = field(default_factory=dict[str, object])
    broken: list[str] = field(default_factory=list[str])

    def claim(self, name: str, found: object, wanted: object) -> None:
        """Record a figure and whether it is what it must be."""
        self.facts[name] = found
        if found != wanted:
            self.broken.append(f"{name}: {found}, must be {wanted}")


def judge_database(verdict: Verdict, admin_url: str, accepted: Sequence[str]) -> list[str]:
    """Every accepted run ended once and well; answers the origins of the runs, from which keys of effects are made."""
    with psycopg.Connection[Row].connect(admin_url, row_factory=dict_row) as connection:
        runs = connection.execute("select * from run where pipeline = %s", (PIPELINE,)).fetchall()
        ended = connection.execute(
            """select run_id, count(*) as times from run_event where type = 'run.finished'
                group by run_id having count(*) <> 1"""
        ).fetchall()
        gaps = connection.execute(
            "select run_id from run_event group by run_id having max(seq) <> count(*) or min(seq) <> 1"
        ).fetchall()
        steps = connection.execute("select status, count(*) as steps from step group by status").fetchall()
        outbox = connection.execute(
            "select payload->>'run' as run, count(*) from outbox where topic = 'run.finished' group by 1"
        ).fetchall()
    verdict.claim("accepted", len(set(accepted)), len(accepted))
    verdict.claim("runs", len(runs), len(accepted))
    verdict.claim("runs by status", dict(Counter(run["status"] for run in runs)), {"succeeded": len(accepted)})
    verdict.claim("runs that did not end once", len(ended), 0)
    verdict.claim("stories with gaps", len(gaps), 0)
    verdict.claim("steps", {row["status"]: row["steps"] for row in steps}, {"succeeded": len(accepted) * len(STEPS)})
    verdict.claim("announced ends", (len(outbox), max((row["count"] for row in outbox), default=0)), (len(runs), 1))
    verdict.facts["versions"] = dict(sorted(Counter(run["version"] for run in runs).items()))
    return [str(run["origin"]) for run in runs]


def judge_effects(verdict: Verdict, origins: Sequence[str], asked: Mapping[str, int], done: Mapping[str, int]) -> None:
    """Each effect has one key, however often it was asked for, and took place once."""
    wanted = {f"{origin}/{step}" for origin in origins for step in EFFECTS}
    verdict.claim("effects done", sum(done.values()), len(wanted))
    verdict.claim("effects missing", len(wanted - done.keys()), 0)
    verdict.claim("effects under strange keys", len(asked.keys() - wanted), 0)
    verdict.facts["requests to the service outside"] = sum(asked.values())


def judge_story(verdict: Verdict, story: Sequence[Mapping[str, Any]]) -> None:
    """A stream that was followed through all of it is whole: in order, nothing twice, both ends once."""
    told = [event for event in story if event["type"] != "snapshot"]
    ids = [tuple(map(int, event["id"].split("-"))) for event in told]
    kinds = Counter(event["type"] for event in story)
    milestones = [place for place, live in ids if live == 0]
    problems = [
        name
        for name, is_so in {
            "out of order or twice": ids != sorted(set(ids)),
            "no single start": kinds["run.started"] != 1,
            "no single end": kinds["run.finished"] != 1 or story[-1]["type"] != "run.finished",
            "a milestone missing": milestones != list(range(1, len(milestones) + 1)),
        }.items()
        if is_so
    ]
    verdict.broken += [f"stream of {story[0]['run'] if story else '?'}: {name}" for name in problems]

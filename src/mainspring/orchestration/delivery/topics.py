"""Which events an endpoint asked for, and how a fact of ours is shown to others."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

from mainspring.foundation.ids import show_id
from mainspring.orchestration.pipelines import RUN_PREFIX, RunFinished

from .errors import EndpointInvalid
from .types import MAX_TOPICS

Shape = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""From the payload on the outbox to the `data` that others get."""

_PATTERN = re.compile(r"\*|[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*(\.\*)?")
_MAX_CHARACTERS = 100


def check_topics(topics: tuple[str, ...], known: Collection[str] | None = None) -> tuple[str, ...]:
    """The patterns, without repetitions; EndpointInvalid for what is none, or takes none of the known topics."""
    if not 1 <= len(topics) <= MAX_TOPICS:
        raise EndpointInvalid(f"There are {len(topics)} topics; name 1 to {MAX_TOPICS}, or '*' for all.")
    for topic in topics:
        if len(topic) > _MAX_CHARACTERS or not _PATTERN.fullmatch(topic):
            raise EndpointInvalid(
                f"{topic[:40]!r} is not a topic; write one like 'run.finished', a group like 'approval.*', or '*'."
            )
        if known is not None and not any(topic in patterns_for(each) for each in known):
            raise EndpointInvalid(
                f"No event has the topic {topic!r}. These exist: {', '.join(sorted(known))}. "
                "So do groups such as 'approval.*', and '*'; a product declares its own (`Product(topics=...)`)."
            )
    return tuple(dict.fromkeys(topics))


def patterns_for(topic: str) -> list[str]:
    """Every pattern that takes the topic: itself, each group that it is in, and all."""
    parts = topic.split(".")
    return [topic, *(".".join(parts[:count]) + ".*" for count in range(1, len(parts))), "*"]


def show_run_finished(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The run by its public id."""
    return {**payload, "run": show_id(RUN_PREFIX, UUID(str(payload["run"])))}


SHAPES: Mapping[str, Shape] = {RunFinished.TOPIC: show_run_finished}
"""Facts of lower rooms that name things by what the outbox calls them; all others go out as they are."""

"""The topics of all events that anything here writes to the outbox: those of the rooms, and what products declare."""

from collections.abc import Iterable
from types import ModuleType

from mainspring.application.identity import events as identity
from mainspring.inference.gateway import events as gateway
from mainspring.orchestration.agents import events as agents
from mainspring.orchestration.approvals import events as approvals
from mainspring.orchestration.delivery import events as delivery
from mainspring.orchestration.delivery.types import TEST_TOPIC
from mainspring.orchestration.knowledge import events as knowledge
from mainspring.orchestration.pipelines import events as pipelines
from mainspring.orchestration.products import Product

_ROOMS: tuple[ModuleType, ...] = (identity, gateway, agents, approvals, delivery, knowledge, pipelines)


def known_topics(products: Iterable[Product]) -> frozenset[str]:
    """Every topic that a room or one of these products tells of."""
    told = {topic for room in _ROOMS for topic in _topics_of(room)}
    return frozenset(told | {TEST_TOPIC} | {topic for product in products for topic in product.topics})


def _topics_of(room: ModuleType) -> Iterable[str]:
    """Each event is a class that names its topic."""
    for event in vars(room).values():
        topic = getattr(event, "topic", None) or getattr(event, "TOPIC", None)
        if isinstance(event, type) and isinstance(topic, str):
            yield topic

"""What the platform offers to a product when it is built: the same doors that every room uses."""

from dataclasses import dataclass

from mainspring.foundation.clock import Clock
from mainspring.foundation.db import Database
from mainspring.foundation.objects import ObjectStore
from mainspring.inference.gateway import AiSwitch, Gateway
from mainspring.orchestration.approvals import Approvals
from mainspring.orchestration.knowledge import KnowledgeServices
from mainspring.orchestration.pipelines import LiveEvents, Pipelines

from .toolbox import ProductTools


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to `Product.build`, once in each process.

    ai_switch         whether a tenant allows generative models at all
    tools             for steps and routes; it is filled when every product is built
    max_upload_bytes  what the operator lets through in one upload
    """

    database: Database
    objects: ObjectStore
    gateway: Gateway
    ai_switch: AiSwitch
    knowledge: KnowledgeServices
    pipelines: Pipelines
    live: LiveEvents
    approvals: Approvals
    tools: ProductTools
    clock: Clock
    max_upload_bytes: int

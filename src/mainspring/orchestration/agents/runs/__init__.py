"""Runs of agents: submitted, waiting in their thread, led by a pipeline run, stopped, done."""

from .leading import AgentJob, Leading
from .service import AgentRuns
from .sweep import sweep_agents

__all__ = ["AgentJob", "AgentRuns", "Leading", "sweep_agents"]

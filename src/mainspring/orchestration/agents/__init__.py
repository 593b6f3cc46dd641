"""Agents: graphs with threads, tools, durable state and people in the loop."""

from .agent import Agent, AgentGraph, AgentLimits, Agents
from .assistants import standard_assistant
from .ownership import Ownership, ThreadPrivacy
from .ports import AsSubmitted, Rights
from .react import react_agent
from .runs import AgentRuns
from .runtime import AgentParts, AgentRuntime, FrameJoiner, Graphs, build_agent_runtime
from .tasks import build_subscribers, sweep
from .tools import AgentTools

__all__ = [
    "Agent",
    "AgentGraph",
    "AgentLimits",
    "AgentParts",
    "AgentRuns",
    "AgentRuntime",
    "AgentTools",
    "Agents",
    "AsSubmitted",
    "FrameJoiner",
    "Graphs",
    "Ownership",
    "Rights",
    "ThreadPrivacy",
    "build_agent_runtime",
    "build_subscribers",
    "react_agent",
    "standard_assistant",
    "sweep",
]

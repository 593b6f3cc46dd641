"""Acting: a run's graph executed as one durable step, told as it goes."""

from .act import AgentParts, AgentRuntime, build_agent_runtime
from .frames import FrameJoiner
from .graphs import Graphs
from .privately import privately

__all__ = ["AgentParts", "AgentRuntime", "FrameJoiner", "Graphs", "build_agent_runtime", "privately"]

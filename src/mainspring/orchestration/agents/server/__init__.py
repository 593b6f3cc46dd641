"""LangGraph's agent-server API over Mainspring's agents."""

from .serving import AgentServer, build_agent_server

__all__ = ["AgentServer", "build_agent_server"]

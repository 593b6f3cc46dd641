"""Agents: graphs with threads, tools, durable state and people in the loop."""

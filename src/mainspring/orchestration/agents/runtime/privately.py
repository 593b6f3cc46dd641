"""What graphs work on goes to nobody else: LangChain's own tracing is off, whatever the environment says.

`LANGSMITH_TRACING` or `LANGCHAIN_TRACING_V2`, set for another program of the machine, would send every state and
message of every tenant to another company. Only what runs inside the block is meant: an application that we are mounted
beside traces its own graphs as it likes.
"""

from collections.abc import Generator
from contextlib import contextmanager

from langchain_core.tracers.context import tracing_v2_callback_var
from langsmith import tracing_context


@contextmanager
def privately() -> Generator[None]:
    """No graph, model or tool called inside the block, or by tasks begun in it, is traced by LangSmith."""
    token = tracing_v2_callback_var.set(None)
    try:
        with tracing_context(enabled=False, parent=False):
            yield
    finally:
        tracing_v2_callback_var.reset(token)

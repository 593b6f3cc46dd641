"""What can go wrong with agents."""

from mainspring.foundation.errors import Conflict, InvalidInput, MainspringError, NotFound


class ThreadBusy(Conflict):
    """The thread has an unfinished run, and the new one may not wait for it."""

    code = "thread_busy"


class AgentInvalid(Exception):
    """An agent cannot work as it is declared, or as its nodes are written."""


class AgentUnknown(NotFound):
    """No agent, assistant, thread or agent run of that id belongs to the tenant."""

    code = "agent_unknown"


class AgentRunNotCancellable(Conflict):
    """The run is finished; there is nothing to cancel."""

    code = "agent_run_not_cancellable"


class AgentInputInvalid(InvalidInput):
    """The input, command or context does not fit the agent."""

    code = "agent_input_invalid"


class AgentKeyReused(Conflict):
    """The idempotency key of an agent's run was used before for other work."""

    code = "agent_key_reused"


class AgentFenced(MainspringError):
    """This attempt leads the run no more: it was cancelled, or another worker took over. Nothing was written."""

    code = "agent_fenced"
    status = 409


class AgentLoopDetected(MainspringError):
    """The agent did the same thing again and again."""

    code = "agent_loop_detected"
    status = 422


class AgentStepLimit(MainspringError):
    """The agent took as many steps as it may."""

    code = "agent_step_limit"
    status = 422


class AgentFailed(MainspringError):
    """A node of the agent's graph raised an error."""

    code = "agent_failed"
    status = 500


class UnknownInterrupt(InvalidInput):
    """A resume answers an interrupt that does not wait."""

    code = "agent_interrupt_unknown"

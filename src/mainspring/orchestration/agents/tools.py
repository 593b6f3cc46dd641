"""What a graph is given: models of the gateway, and tools that a node may call, both on behalf of its run.

The tool node asks the toolbox, which checks rights, keeps what was done once, and marks what strangers wrote. A call
that a person has to allow interrupts the graph; when the thread is resumed the same call is made again under the
same id, and the toolbox knows by then what was decided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langgraph.config import get_config
from langgraph.types import interrupt

from mainspring.foundation.ids import show_id
from mainspring.foundation.principal import Principal
from mainspring.inference import messages
from mainspring.inference.gateway import CallContext, Gateway
from mainspring.orchestration.pipelines.types import StepRun
from mainspring.orchestration.tools import show_to_model
from mainspring.orchestration.tools.types import APPROVAL_PREFIX, ResultStatus, ToolCaller, ToolResult

from .errors import AgentInvalid
from .loops import LOOP_LIMIT, check_loop
from .models import GatewayChatModel
from .pricing import price
from .types import AgentRun, Json, JsonObject

INTERRUPT_KIND = "approval"
"""The `kind` in the value of an interrupt that waits for an approval."""


class ToolCalls(Protocol):
    """The part of `tools.Toolbox` that agents use."""

    async def call(
        self, caller: ToolCaller, name: str, arguments: str | Mapping[str, Json], *, call_id: str
    ) -> ToolResult:
        """One answer per call id; never raises for what a tool does."""
        ...


@dataclass(frozen=True, slots=True)
class Acting:
    """The run that a graph is built for.

    principal  whose rights it has now
    """

    run: StepRun
    agent_run: AgentRun
    principal: Principal


@dataclass(frozen=True, slots=True, eq=False)
class AgentTools:
    """What `build` gets.

    agent    the agent's name
    config   the `configurable` part of the run's configuration, empty when only a state is looked at
    offered  the agent's tools that the caller may use, as a model is told of them
    """

    agent: str
    gateway: Gateway | None = None
    toolbox: ToolCalls | None = None
    acting: Acting | None = None
    offered: tuple[messages.Tool, ...] = ()
    config: JsonObject = field(default_factory=dict[str, Json])
    loop_limit: int = LOOP_LIMIT

    def model(
        self, name: str | None = None, *, temperature: float | None = None, max_tokens: int | None = None
    ) -> GatewayChatModel:
        """A chat model for the nodes of this run; `name` is of the catalogue, None for the default.

        Its calls are recorded with the run and the thread, and what they cost counts against the run's ceiling.
        """
        if self.gateway is None:
            raise AgentInvalid(f"agent {self.agent} asks for a model where no gateway was given")
        return GatewayChatModel(
            self.gateway,
            self._context(),
            spend=self._spend if self.acting else None,
            model=name,
            temperature=temperature,
            max_tokens=max_tokens,
        )

    def capable_model(self) -> GatewayChatModel | None:
        """The model configured for analysis; None when only the bundled small one is there."""
        name = self.gateway.capable_model() if self.gateway else None
        return None if name is None else self.model(name)

    async def call(self, name: str, arguments: Mapping[str, Json], *, call_id: str) -> ToolResult:
        """Call a tool for the run; a call that needs a person interrupts the graph until somebody has decided.

        call_id  unique in the thread and the same when the node runs again
        """
        acting, toolbox = self._for_run()
        caller = ToolCaller(
            principal=acting.principal,
            scope=f"thread:{acting.agent_run.thread}",
            run=acting.run.run_id,
            step=acting.run.step,
            agent=self.agent,
            session=str(acting.agent_run.thread),
        )
        result = await toolbox.call(caller, name, arguments, call_id=call_id)
        while result.status is ResultStatus.NEEDS_APPROVAL and result.approval is not None:
            interrupt(_question(name, arguments, result))
            result = await toolbox.call(caller, name, arguments, call_id=call_id)
        return result

    async def answer_calls(self, said: Sequence[BaseMessage]) -> list[ToolMessage]:
        """Answers to every tool call of the last message; for a node, which adds them to the messages.

        raises   AgentLoopDetected when the same call comes again and again
        """
        node = str(get_config().get("metadata", {}).get("langgraph_node", self.agent))
        check_loop(said, node=node, limit=self.loop_limit)
        last = said[-1]
        calls = last.tool_calls if isinstance(last, AIMessage) else []
        # One after the other: where people have to be asked, the answers are told apart by their order.
        return [await self._answer(call) for call in calls]

    async def _answer(self, call: Any) -> ToolMessage:
        acting, _ = self._for_run()
        await acting.run.say(f"Calling {call['name'].replace('_', ' ')}")
        result = await self.call(call["name"], call["args"], call_id=call["id"])
        return ToolMessage(
            content=show_to_model(result),
            name=call["name"],
            tool_call_id=call["id"],
            status="error" if result.status is ResultStatus.FAILED else "success",
            artifact={"status": result.status.value, "is_untrusted": result.is_untrusted},
        )

    def _for_run(self) -> tuple[Acting, ToolCalls]:
        if self.acting is None or self.toolbox is None:
            raise AgentInvalid(f"agent {self.agent} calls a tool where no run or no toolbox was given")
        return self.acting, self.toolbox

    def _context(self) -> CallContext:
        if self.acting is None:
            raise AgentInvalid(f"agent {self.agent} asks for a model outside a run")
        principal, run = self.acting.principal, self.acting.run
        return CallContext(
            tenant=principal.tenant,
            principal=principal.name if principal.user is None else f"user:{principal.user}",
            session=str(self.acting.agent_run.thread),
            feature=f"agent:{self.agent}",
            run=run.run_id,
            step=run.step,
        )

    async def _spend(self, model: str | None, usage: messages.Usage) -> None:
        acting = self.acting
        if acting is not None and self.gateway is not None:
            micros = await price(self.gateway, acting.principal.tenant, model, usage)
            if micros:
                await acting.run.spend(micros)


def _question(name: str, arguments: Mapping[str, Json], result: ToolResult) -> JsonObject:
    assert result.approval is not None
    return {
        "kind": INTERRUPT_KIND,
        "approval": show_id(APPROVAL_PREFIX, result.approval),
        "tool": name,
        "arguments": dict(arguments),
        "text": result.note or (result.error.detail if result.error else "A person has to allow this."),
    }

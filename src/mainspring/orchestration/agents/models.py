"""Our gateway as a chat model of langchain-core: limits, routing, records and cost are the gateway's.

A model is made for one run (see `AgentTools.model`): its calls carry the run, the step and the thread, and what
they cost is counted against the run's ceiling.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, message_chunk_to_message
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from pydantic import BaseModel, ConfigDict, PrivateAttr

from mainspring.inference.gateway import CallContext, Gateway
from mainspring.inference.messages import (
    Finished,
    InferenceRequest,
    ReasoningDelta,
    ResponseFormat,
    Sampling,
    Started,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageUpdate,
)
from mainspring.inference.messages import Tool as OfferedTool

from .errors import AgentInvalid
from .translating import read_tool_choice, to_messages, usage_metadata

Spend = Callable[[str | None, Usage], Awaitable[None]]
"""Called once per reply with the model that was asked and what was used."""


class GatewayChatModel(BaseChatModel):
    """Chats through the gateway. `bind_tools` and `with_structured_output` work as on any chat model.

    model   a name of the catalogue such as `openai/gpt-5-mini`; None for the platform's default
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    _gateway: Gateway = PrivateAttr()
    _context: CallContext = PrivateAttr()
    _spend: Spend | None = PrivateAttr(default=None)

    def __init__(self, gateway: Gateway, context: CallContext, *, spend: Spend | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self._gateway, self._context, self._spend = gateway, context, spend

    @property
    def _llm_type(self) -> str:
        return "mainspring"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise AgentInvalid("The gateway is asynchronous: use `await model.ainvoke(...)` in an async node.")

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        whole: AIMessageChunk | None = None
        async for chunk in self._chunks(messages, stop, kwargs):
            whole = chunk if whole is None else whole + chunk
        message = message_chunk_to_message(whole) if whole else AIMessage("")
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        async for chunk in self._chunks(messages, stop, kwargs):
            piece = ChatGenerationChunk(message=chunk)
            if run_manager and isinstance(chunk.content, str) and chunk.content:
                await run_manager.on_llm_new_token(chunk.content, chunk=piece)
            yield piece

    async def _chunks(
        self, messages: Sequence[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> AsyncIterator[AIMessageChunk]:
        served, usage = self.model, Usage()
        request = self._request(messages, stop, kwargs)
        async with aclosing(self._gateway.stream(request, context=self._context)) as deltas:
            async for delta in deltas:
                match delta:
                    case Started(_, model):
                        served = model
                    case UsageUpdate(counted):
                        usage = counted
                    case Finished(reason):
                        await self._count(request.model, usage)
                        yield AIMessageChunk(
                            content="",
                            usage_metadata=usage_metadata(usage),
                            response_metadata={"finish_reason": reason.value, "model_name": served or ""},
                            chunk_position="last",
                        )
                    case TextDelta(text):
                        yield AIMessageChunk(content=text)
                    case ReasoningDelta(text):
                        yield AIMessageChunk(content="", additional_kwargs={"reasoning_content": text})
                    case ToolCallDelta():
                        yield AIMessageChunk(content="", tool_call_chunks=[_tool_call_chunk(delta)])
                    case _:
                        pass

    async def _count(self, asked: str | None, usage: Usage) -> None:
        if self._spend is not None:
            await self._spend(asked, usage)

    def _request(
        self, messages: Sequence[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> InferenceRequest:
        return InferenceRequest(
            messages=to_messages(messages),
            model=kwargs.get("model", self.model),
            tools=tuple(kwargs.get("tools", ())),
            tool_choice=kwargs.get("tool_choice"),
            sampling=Sampling(temperature=kwargs.get("temperature", self.temperature), stop=tuple(stop or ())),
            max_tokens=kwargs.get("max_tokens", self.max_tokens),
            response_format=kwargs.get("response_format"),
        )

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool | OfferedTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The same model, told of tools; ours, or whatever langchain-core takes for one."""
        offered = tuple(each if isinstance(each, OfferedTool) else _offer(each) for each in tools)
        choice = None if tool_choice is None else read_tool_choice(tool_choice)
        return self.bind(tools=offered, tool_choice=choice, **kwargs)

    def with_structured_output(
        self, schema: dict[str, Any] | type, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        """A model whose replies are values of `schema`, held to it by the gateway."""
        if include_raw:
            raise AgentInvalid("include_raw is not there; call the model itself to see the reply.")
        described = convert_to_json_schema(schema)
        name = str(described.get("title", "reply"))
        return self.bind(response_format=ResponseFormat(name, described)) | _parser(schema)


def _parser(schema: dict[str, Any] | type) -> Runnable[Any, Any]:
    from langchain_core.output_parsers import (
        JsonOutputParser,
        PydanticOutputParser,
    )

    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return PydanticOutputParser(pydantic_object=schema)
    return JsonOutputParser()


def _offer(each: dict[str, Any] | type | Callable[..., Any] | BaseTool) -> OfferedTool:
    function = convert_to_openai_tool(each)["function"]
    return OfferedTool(function["name"], function.get("description", ""), function.get("parameters", {}))


def _tool_call_chunk(delta: ToolCallDelta) -> Any:
    return {
        "type": "tool_call_chunk",
        "index": delta.index,
        "id": delta.id or None,
        "name": delta.name or None,
        "args": delta.arguments,
    }

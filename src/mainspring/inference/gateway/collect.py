"""A stream of deltas, put together again: how a full reply is made, and what a broken one had said."""

from dataclasses import replace

from mainspring.inference.messages import (
    Completion,
    Delta,
    Extra,
    Finished,
    FinishReason,
    Message,
    OpaqueDelta,
    OpaquePart,
    Part,
    ReasoningDelta,
    ReasoningPart,
    Role,
    Started,
    TextDelta,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
    Usage,
    UsageUpdate,
)

from .tokens import count_piece

_UNKNOWN, _NONE = Started("", ""), Usage()


class _Block:
    """A part that is still growing."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.pieces: list[str] = []
        self.id = ""
        self.name = ""
        self.signature: str | None = None

    def finish(self) -> Part:
        text = "".join(self.pieces)
        if self.kind == "text":
            return TextPart(text)
        if self.kind == "reasoning":
            return ReasoningPart(text, self.signature)
        return ToolCallPart(self.id, self.name, text)


class Collector:
    """Add every delta; then read what they make."""

    def __init__(self) -> None:
        self._blocks: list[_Block | OpaquePart] = []
        self._calls: dict[int, _Block] = {}
        self._started = _UNKNOWN
        self._usage = _NONE
        self._extra: Extra | None = None
        self._pieces = 0
        self.reason: FinishReason | None = None

    def add(self, delta: Delta) -> None:
        """Take in the next delta of the stream."""
        match delta:
            case Started():
                self._started = delta
            case TextDelta(text=text):
                self._grow("text", text)
            case ReasoningDelta(text=text, signature=signature):
                block = self._grow("reasoning", text)
                block.signature = signature or block.signature
            case ToolCallDelta():
                self._call(delta)
            case OpaqueDelta(extra=extra):
                self._blocks.append(OpaquePart(extra))
            case UsageUpdate(usage=usage):
                self._usage = usage
            case Finished(reason=reason, extra=extra):
                self.reason, self._extra = reason, extra

    @property
    def model(self) -> str | None:
        """The model that serves the stream, once it has said so."""
        return self._started.model or None

    @property
    def has_content(self) -> bool:
        """Whether anything of the reply itself has come."""
        return bool(self._blocks)

    @property
    def is_estimate(self) -> bool:
        """Whether the provider sent no count of what it wrote, so that `usage` counts pieces."""
        return bool(self._pieces) and not self._usage.output_tokens

    @property
    def usage(self) -> Usage:
        """The count so far. A stream cut off before its count is taken at what its pieces hold, one token at least."""
        if self._usage.output_tokens or not self._pieces:
            return self._usage
        pieces = (piece for block in self._blocks if isinstance(block, _Block) for piece in block.pieces if piece)
        return replace(self._usage, output_tokens=sum(map(count_piece, pieces)))

    def message(self) -> Message:
        """The turn as far as it came."""
        parts = tuple(block if isinstance(block, OpaquePart) else block.finish() for block in self._blocks)
        return Message(Role.ASSISTANT, parts)

    def completion(self) -> Completion:
        """The full reply; only after `Finished`."""
        assert self.reason is not None, "the stream has not finished"
        started = self._started
        return Completion(self.message(), self.reason, self.usage, started.model, started.id, self._extra)

    def _grow(self, kind: str, text: str) -> _Block:
        last = self._blocks[-1] if self._blocks else None
        if not isinstance(last, _Block) or last.kind != kind or last.signature:
            last = _Block(kind)
            self._blocks.append(last)
        last.pieces.append(text)
        self._pieces += bool(text)
        return last

    def _call(self, delta: ToolCallDelta) -> None:
        if delta.index not in self._calls:
            self._calls[delta.index] = _Block("tool_call")
            self._blocks.append(self._calls[delta.index])
        block = self._calls[delta.index]
        block.id, block.name = block.id or delta.id, block.name or delta.name
        block.pieces.append(delta.arguments)
        self._pieces += bool(delta.arguments)

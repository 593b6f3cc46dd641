"""Streams of Azure OpenAI: those of the OpenAI dialect, with what the content filter found between.

The first chunk may hold nothing but the filter's results for the prompt, without id and model;
it must not be taken for the start. Results for the reply come with every chunk or in chunks of
their own; they are joined and told once, before the end, so that they do not cut the text.
"""

from typing import Any

from mainspring.inference.gateway.errors import StreamBroken
from mainspring.inference.gateway.providers import openai
from mainspring.inference.gateway.providers.sse import ServerEvent
from mainspring.inference.gateway.providers.wire import Wire, misshapen_is, read_object
from mainspring.inference.messages import Delta, Extra, Finished, OpaqueDelta

_DIALECT = "openai"
_OF_FILTERS = "content_filter_"
_HEAD_FIELDS = {"id", "object", "created", "model", "choices", "usage"}


class StreamReader:
    """Reads one stream: `feed` every event, then `end`."""

    def __init__(self) -> None:
        self._inner = openai.StreamReader()
        self._has_begun = False
        self._head: Wire = {}
        self._filters: Wire = {}

    @misshapen_is(StreamBroken, "The model's stream does not have the shape of its dialect; try again.")
    def feed(self, event: ServerEvent) -> list[Delta]:
        """The deltas of one event; raises the mapped error when the event is one."""
        if not self._has_begun and self._is_only_head(event):
            return []
        self._has_begun = True
        return [kept for delta in self._inner.feed(event) for kept in self._without_filters(delta)]

    @misshapen_is(StreamBroken, "The model's stream does not have the shape of its dialect; try again.")
    def end(self) -> list[Delta]:
        """The filter's results and the closing delta; StreamBroken when the stream stopped before the model did."""
        told: list[Delta] = [OpaqueDelta(Extra(_DIALECT, {"choice": self._filters}))] if self._filters else []
        return [*told, *(self._with_head(delta) for delta in self._inner.end())]

    def _is_only_head(self, event: ServerEvent) -> bool:
        chunk = read_object(event.data)
        if chunk is None or chunk.get("id") or chunk.get("choices") or chunk.get("error"):
            return False
        self._head |= {name: value for name, value in chunk.items() if name not in _HEAD_FIELDS and value is not None}
        return True

    def _without_filters(self, delta: Delta) -> list[Delta]:
        match delta:
            case OpaqueDelta(extra=Extra(fields={"choice": dict(choice), **beside})):
                rest: dict[str, Any] = {}
                for name, value in choice.items():
                    if name.startswith(_OF_FILTERS):
                        self._filters[name] = _join(self._filters.get(name), value)
                    else:
                        rest[name] = value
                fields = {**beside, "choice": rest} if rest else beside
                return [OpaqueDelta(Extra(_DIALECT, fields))] if fields else []
            case _:
                return [delta]

    def _with_head(self, delta: Delta) -> Delta:
        if not self._head or not isinstance(delta, Finished):
            return delta
        return Finished(delta.reason, Extra(_DIALECT, {**self._head, **(delta.extra.fields if delta.extra else {})}))


def _join(before: Any, value: Any) -> Any:
    """Later results replace earlier ones, except that what was once filtered stays so."""
    if not isinstance(before, dict) or not isinstance(value, dict):
        return value
    was_filtered = {name for name, result in before.items() if isinstance(result, dict) and result.get("filtered")}
    return {**before, **{name: result for name, result in value.items() if name not in was_filtered}}

"""The way without a model: the question is read by its words, the same tools are called, and what they found is quoted.

Contracts are only ever quoted here. Nothing that stands in one can choose a tool, an argument or a word of ours.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from mainspring.foundation.principal import Principal
from mainspring.orchestration.tools import Json, ResultStatus, ToolResult
from mainspring.showcase.contracts.rendering.visible import visible

from .desk import Desk
from .extractive import (
    answer_clause,
    answer_comparison,
    answer_date,
    answer_draft,
    answer_found,
    nothing,
    undone,
)
from .questions import Amend, CompareThem, ComputeDate, Find, ReadOne, Wanted, read_question
from .redline import compare, to_marks
from .telling import read_as
from .tools import COMPARE, COMPUTE, DRAFT, READ, SEARCH
from .types import Answer, Cited, Comparison, Computed, Drafted, Found

Call = Callable[[str, Mapping[str, Json]], Awaitable[ToolResult]]
"""Calls a tool; the same call of the same question is the same call."""


@dataclass(frozen=True, slots=True)
class Looking:
    """One question on its way to an answer.

    why  there is no model, for the answer's own words
    """

    desk: Desk
    principal: Principal
    call: Call
    why: str

    async def answer(self, question: str) -> Answer:
        """Whatever was found, or that nothing relevant was."""
        shelf = await self.desk.contracts(self.principal)
        topic = await self.desk.topic_of(self.principal, question)
        return await self._do(read_question(question, shelf, topic=topic), question)

    async def _do(self, wanted: Wanted, question: str) -> Answer:
        match wanted:
            case Find(asked, contract):
                return await self._find(asked, contract.public_id if contract else None)
            case ReadOne(contract, clause):
                return await self._read(contract.public_id, clause, question)
            case CompareThem(contracts, topic):
                named = [each.public_id for each in contracts]
                return await self._compare({"contracts": named, "topic": topic}, question)
            case ComputeDate(contract, rule, _):
                return await self._compute({"contract": contract.public_id, "rule": rule.value}, question)
            case Amend():
                return await self._amend(wanted)

    async def _find(self, question: str, contract: str | None) -> Answer:
        arguments: dict[str, Json] = {"question": question}
        result = await self.call(SEARCH, arguments | ({"contract": contract} if contract else {}))
        found = read_as(Found, result)
        if found is None:
            return self._failed(result) if result.error else undone(result.note or "Nothing was found.", self.why)
        return answer_found(found, self.why)

    async def _read(self, contract: str, clause: str, question: str) -> Answer:
        cited = read_as(Cited, await self.call(READ, {"contract": contract, "clause": clause}))
        return answer_clause(cited, self.why) if cited else await self._find(question, contract)

    async def _compare(self, arguments: Mapping[str, Json], question: str) -> Answer:
        result = await self.call(COMPARE, arguments)
        comparison = read_as(Comparison, result)
        if comparison is None:
            return self._failed(result) if result.error else nothing(0, self.why)
        return answer_comparison(comparison, question, self.why)

    async def _compute(self, arguments: Mapping[str, Json], question: str) -> Answer:
        """The date; where there is none, what the contract says about it besides."""
        computed = read_as(Computed, await self.call(COMPUTE, arguments))
        if computed is not None and computed.on is not None:
            return answer_date(computed, self.why)
        found = await self._find(question, str(arguments["contract"]))
        if computed is None or not any(sentence.citations for sentence in found.sentences):
            return found
        return replace(found, sentences=(*answer_date(computed, self.why).sentences, *found.sentences))

    async def _amend(self, wanted: Amend) -> Answer:
        prepared = await prepare_draft(
            self.call, {"contract": wanted.contract, "clause": wanted.clause, "new_text": wanted.new_text}
        )
        if isinstance(prepared, ToolResult):
            return self._failed(prepared)
        arguments, cited = prepared
        result = await self.call(DRAFT, arguments | {"why": wanted.why})
        drafted = read_as(Drafted, result)
        return answer_draft(drafted, cited, self.why) if drafted else self._failed(result)

    def _failed(self, result: ToolResult) -> Answer:
        return undone(result.error.detail if result.error else "Nothing came back.", self.why)


async def prepare_draft(call: Call, arguments: Mapping[str, Json]) -> tuple[dict[str, Json], Cited] | ToolResult:
    """A draft's arguments with the clause as it reads now and the redline; the result of reading, when that failed.

    The clause is read by a tool, so that the thread is known to have read strangers' words: from then on nothing is
    written in it without a person. And the person is shown exactly what the draft will hold.
    """
    wanted = {"contract": arguments.get("contract", ""), "clause": arguments.get("clause", "")}
    read = await call(READ, wanted)
    cited = read_as(Cited, read)
    if cited is None or read.status is not ResultStatus.OK:
        return read
    new_text = visible(str(arguments.get("new_text", ""))).strip()
    redline = to_marks(compare(cited.quote, new_text))
    shown: dict[str, Json] = {"new_text": new_text, "old_text": cited.quote, "redline": redline}
    return {**arguments, "contract": cited.contract, **shown}, cited

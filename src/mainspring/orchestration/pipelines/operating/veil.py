"""What operating shows and does about subjects that are closed to the caller: how things go, and nothing of content."""

from collections.abc import Iterable
from dataclasses import replace

from mainspring.foundation.errors import Forbidden
from mainspring.foundation.principal import Principal
from mainspring.orchestration.pipelines.privacy import COVERED, Open, Privacy, cover
from mainspring.orchestration.pipelines.types import Failure, Run

from .types import Letter, StepDetail, StepLine


class Veil:
    """Asks once for a page, and covers what is closed."""

    def __init__(self, privacy: Privacy | None) -> None:
        self._privacy = privacy or Open()

    async def is_closed(self, principal: Principal, subject: str | None) -> bool:
        """Whether the subject is closed to the caller."""
        return subject is not None and subject in await self._privacy.closed_to(principal, (subject,))

    async def refuse(self, principal: Principal, subject: str | None) -> None:
        """Forbidden when the subject is closed to the caller."""
        if await self.is_closed(principal, subject):
            raise Forbidden(f"This is about what is closed to {principal.name}; ask one of its readers to do it.")

    async def cover_runs(self, principal: Principal, runs: Iterable[Run]) -> list[Run]:
        """The runs, those that are closed without what failures say."""
        found = list(runs)
        closed = await self._privacy.closed_to(principal, {run.subject for run in found if run.subject})
        return [cover(run) if run.subject in closed else run for run in found]

    async def cover_letters(self, principal: Principal, letters: Iterable[Letter]) -> list[Letter]:
        """The letters, those that are closed without input, trace and what the failure says."""
        found = list(letters)
        closed = await self._privacy.closed_to(principal, {letter.subject for letter in found if letter.subject})
        return [_covered(letter) if letter.subject in closed else letter for letter in found]

    async def cover_steps(self, principal: Principal, subject: str | None, lines: Iterable[StepLine]) -> list[StepLine]:
        """The steps of a run about the subject."""
        is_closed = await self.is_closed(principal, subject)
        return [replace(line, error=_mute(line.error)) if is_closed else line for line in lines]

    async def cover_step(self, principal: Principal, detail: StepDetail) -> StepDetail:
        """One step; closed, it has neither input nor output nor trace."""
        if not await self.is_closed(principal, detail.subject):
            return detail
        line = replace(detail.line, error=_mute(detail.line.error))
        return replace(detail, line=line, input=None, output=None, trace=None)


def _mute(error: Failure | None) -> Failure | None:
    return replace(error, detail=COVERED) if error else None


def _covered(letter: Letter) -> Letter:
    return replace(letter, error=replace(letter.error, detail=COVERED), input=None, trace=None)

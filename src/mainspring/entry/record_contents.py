"""Whose recorded contents may be read: a call's that belongs to a run, as the run itself may be read.

What a tool was given and answered outside of a run, as by an MCP client, is between it and that client: documents that
are open to one key need not be to another.
"""

from dataclasses import dataclass

from mainspring.foundation.principal import Principal
from mainspring.inference.gateway import InferenceRecord, Operation
from mainspring.orchestration.pipelines import Pipelines, Privacy, RunId

_OVERSEES = "knowledge.manage"


@dataclass(frozen=True, slots=True)
class RunContents:
    """Implements the gateway's port `Contents` over runs and what is closed of them."""

    pipelines: Pipelines
    privacy: Privacy

    async def may_read(self, principal: Principal, record: InferenceRecord) -> bool:
        """As the run may be read; without one a tool's call by its own caller, and other calls by everybody."""
        run = await self.pipelines.find_run(principal.tenant, RunId(record.run_id)) if record.run_id else None
        if run is None:
            is_own = record.key_id is not None and record.key_id == principal.credential
            return record.operation is not Operation.TOOL or is_own or _OVERSEES in principal.permissions
        return run.subject is None or not await self.privacy.closed_to(principal, (run.subject,))

"""Approvals through the client: what waits for a decision, and the word on it.

for waiting in client.approvals.iter(mine=True):
    asked = client.approvals.get(waiting.id)
    print(asked.action, asked.arguments)
    client.approvals.approve(asked, reason="As agreed.")
"""

from collections.abc import Iterator
from typing import Any

from .approvals_types import Approval
from .paging import given, iter_items, path_of
from .transport import Transport


class ApprovalsClient:
    """The part of the client that is `client.approvals`. Every method raises ApiError.

    A key decides only where it is itself among those who were asked (`key:key_...`); people sign in.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def iter(
        self, *, mine: bool = False, status: str | None = None, run: str | None = None, page_size: int = 50
    ) -> Iterator[Approval]:
        """Approvals, newest first, without what they are about; `mine`: those that may be decided now."""
        options = {"mine": "true" if mine else None, "status": status, "run": run, "limit": page_size}
        return iter_items(self._transport, Approval, "/v1/approvals", options)

    def get(self, approval: str) -> Approval:
        """One approval with exactly what will be done, and its history."""
        return self._transport.read(Approval, "GET", path_of("approvals", approval))

    def approve(self, asked: Approval, *, reason: str | None = None) -> Approval:
        """Say yes to what was read; ApiError `approval_voided` (409) when it has changed since."""
        return self.decide(asked.id, "approve", asked.digest, reason=reason)

    def reject(self, asked: Approval, *, reason: str | None = None) -> Approval:
        """Say no to what was read."""
        return self.decide(asked.id, "reject", asked.digest, reason=reason)

    def edit(self, asked: Approval, arguments: Any, *, reason: str | None = None) -> Approval:
        """Approve it with other arguments; under four eyes another person has to approve them."""
        return self.decide(asked.id, "edit", asked.digest, reason=reason, edited_arguments=arguments)

    def decide(
        self, approval: str, verdict: str, digest: str, *, reason: str | None = None, edited_arguments: Any = None
    ) -> Approval:
        """As the three above, by id and digest. The same word again is answered alike."""
        body = given(verdict=verdict, digest=digest, reason=reason, edited_arguments=edited_arguments)
        return self._post(approval, "decide", body)

    def delegate(self, approval: str, to: str, *, reason: str | None = None) -> Approval:
        """Let `user:usr_...`, `team:team_...` or `role:...` decide as well."""
        return self._post(approval, "delegate", given(to=to, reason=reason))

    def withdraw(self, approval: str, *, reason: str | None = None) -> Approval:
        """Take it back; whoever waits is told."""
        return self._post(approval, "withdraw", given(reason=reason))

    def _post(self, approval: str, verb: str, body: dict[str, Any]) -> Approval:
        path = path_of("approvals", approval, verb)
        return self._transport.read(Approval, "POST", path, is_repeatable=True, json=body)

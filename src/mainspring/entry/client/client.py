"""The client: one method for each thing the API does, typed results, errors as `ApiError`.

with MainspringClient("http://127.0.0.1:8710", "ms_...") as client:
    submitted = client.upload_contract(Path("msa.pdf"))
    for event in client.events(submitted.run.id):
        print(event.data.get("text", ""))
    report = client.get_report(submitted.contract.id)
"""

from collections.abc import Collection, Generator, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal, Self, TypeVar
from uuid import uuid4

import msgspec

from .approvals import ApprovalsClient
from .contract_types import Contract, ContractText, Edit, Finding, Playbook, Report, Submitted
from .knowledge import KnowledgeClient
from .operating import DeadLettersClient, HoldsClient, RunsClient, SchedulesClient
from .paging import given, iter_items, path_of
from .stream import iter_events
from .transport import Patience, Transport
from .types import ApiKey, Event, Member, Record, Role, Run, Session, Tenant
from .webhook_types import AcceptedEvent
from .webhooks import WebhooksClient, send_event

Item = TypeVar("Item")
ReportFormat = Literal["json", "md", "docx"]


class MainspringClient:
    """A connection to one API under one key; close it, or use it as a context manager.

    Lists are iterators that read page after page while you consume them. Every method raises ApiError.
    """

    def __init__(self, base_url: str, api_key: str, *, patience: Patience | None = None) -> None:
        self._transport = Transport(base_url.rstrip("/"), api_key, patience or Patience())
        self.knowledge = KnowledgeClient(self._transport)
        self.runs = RunsClient(self._transport)
        self.dead_letters = DeadLettersClient(self._transport)
        self.holds = HoldsClient(self._transport)
        self.schedules = SchedulesClient(self._transport)
        self.webhooks = WebhooksClient(self._transport)
        self.approvals = ApprovalsClient(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.http.close()

    def send_event(self, type_: str, source: str, data: object, *, identifier: str | None = None) -> AcceptedEvent:
        """Send a CloudEvent in, which starts what its type is subscribed to; the same identifier again does not.

        Needs `ai.analysis.trigger`.
        """
        return send_event(self._transport, type_, source, data, identifier=identifier)

    # Contracts

    def upload_contract(self, path: Path, *, playbook: str | None = None) -> Submitted:
        """Upload a file and start its analysis; repeated attempts of one call start it once."""
        return self.upload_bytes(path.read_bytes(), path.name, playbook=playbook)

    def upload_bytes(self, content: bytes, name: str, *, playbook: str | None = None) -> Submitted:
        """As `upload_contract`, for content that is not in a file."""
        return self._transport.read(
            Submitted,
            "POST",
            "/v1/contracts",
            is_repeatable=True,
            headers={"idempotency-key": str(uuid4())},
            files={"file": (name, content)},
            data={} if playbook is None else {"playbook": playbook},
        )

    def iter_contracts(self, *, name_contains: str | None = None, page_size: int = 50) -> Iterator[Contract]:
        """Contracts, newest first."""
        return self._iter(Contract, "/v1/contracts", {"q": name_contains, "limit": page_size})

    def get_contract(self, contract: str) -> Contract:
        """One contract."""
        return self._transport.read(Contract, "GET", path_of("contracts", contract))

    def get_text(self, contract: str) -> ContractText:
        """The parsed text with its structure."""
        return self._transport.read(ContractText, "GET", path_of("contracts", contract, "text"))

    def get_report(self, contract: str) -> Report:
        """The latest finished analysis; ApiError `run_not_finished` (409) before there is one."""
        return self._transport.read(Report, "GET", path_of("contracts", contract, "report"))

    def download_report(self, contract: str, format: ReportFormat) -> bytes:  # noqa: A002 - the API's word
        """The report as a file."""
        return self._transport.call("GET", path_of("contracts", contract, "report"), params={"format": format}).content

    def download_contract(self, contract: str) -> bytes:
        """The bytes that were uploaded."""
        return self._transport.call("GET", path_of("contracts", contract, "file")).content

    def delete_contract(self, contract: str) -> None:
        """Delete a contract with all that was derived from it."""
        self._transport.call("DELETE", path_of("contracts", contract))

    def analyze_again(self, contract: str, *, playbook: str | None = None) -> Submitted:
        """Start another analysis, with the playbook used before unless another is named."""
        body = given(playbook=playbook)
        return self._transport.read(Submitted, "POST", path_of("contracts", contract, "runs"), json=body)

    def iter_findings(
        self, contract: str, *, severity: str | None = None, decision: str | None = None, page_size: int = 50
    ) -> Iterator[Finding]:
        """Findings of the latest finished analysis."""
        options = {"severity": severity, "decision": decision, "limit": page_size}
        return self._iter(Finding, path_of("contracts", contract, "findings"), options)

    def decide_finding(
        self, contract: str, finding: str, decision: str, *, reason: str | None = None, edited: Edit | None = None
    ) -> Finding:
        """Accept, dismiss or edit a finding, or open it again; the same decision twice is one."""
        words = None if edited is None else given(**msgspec.to_builtins(edited))
        body = given(decision=decision, reason=reason, edited=words)
        path = path_of("contracts", contract, "findings", finding)
        return self._transport.read(Finding, "PATCH", path, is_repeatable=True, json=body)

    # Playbooks

    def iter_playbooks(self) -> Iterator[Playbook]:
        """The newest version of each playbook."""
        return self._iter(Playbook, "/v1/playbooks", {})

    def get_playbook(self, name: str, *, version: int | None = None) -> Playbook:
        """A playbook with its YAML; default: the newest version."""
        return self._transport.read(Playbook, "GET", path_of("playbooks", name), params=given(version=version))

    def iter_playbook_versions(self, name: str) -> Iterator[Playbook]:
        """Every version of a playbook."""
        return self._iter(Playbook, path_of("playbooks", name, "versions"), {})

    def save_playbook(
        self, name: str, yaml: str, *, is_default: bool | None = None, base_version: int | None = None
    ) -> Playbook:
        """Write a new version; with `base_version`, only if that is still the newest (else 409)."""
        body = given(yaml=yaml, is_default=is_default, base_version=base_version)
        return self._transport.read(Playbook, "PUT", path_of("playbooks", name), json=body)

    # Runs

    def iter_runs(self, *, status: str | None = None, subject: str | None = None, page_size: int = 50) -> Iterator[Run]:
        """Runs, newest first; `subject` is what they are about, such as a contract's id."""
        return self._iter(Run, "/v1/runs", {"status": status, "subject": subject, "limit": page_size})

    def get_run(self, run: str) -> Run:
        """A run with its steps."""
        return self._transport.read(Run, "GET", path_of("runs", run))

    def cancel_run(self, run: str) -> Run:
        """Ask a run to stop; doing it twice is the same."""
        return self._transport.read(Run, "POST", path_of("runs", run, "cancel"), is_repeatable=True)

    def events(self, run: str, *, after: str | None = None) -> Generator[Event, None, None]:
        """The run's events as they happen, from the beginning or after an event's id, until it is finished.

        A lost connection is resumed where it broke, so that each event comes once.
        """
        return iter_events(self._transport, path_of("runs", run, "events"), after)

    def iter_records(self, *, run: str | None = None, page_size: int = 50) -> Iterator[Record]:
        """Model calls, of one run or all."""
        return self._iter(Record, "/v1/records", {"run": run, "limit": page_size})

    # Tenant, people, keys

    def get_session(self) -> Session:
        """Who the key speaks for, and what it may do."""
        return self._transport.read(Session, "GET", "/v1/session")

    def get_tenant(self) -> Tenant:
        """The key's tenant."""
        return self._transport.read(Tenant, "GET", "/v1/tenant")

    def update_tenant(self, *, name: str | None = None, ai_enabled: bool | None = None) -> Tenant:
        """Rename the tenant, or switch its model calls on or off; None leaves a value as it is."""
        body = given(name=name, ai_enabled=ai_enabled)
        return self._transport.read(Tenant, "PATCH", "/v1/tenant", is_repeatable=True, json=body)

    def list_roles(self) -> list[Role]:
        """Every role with its permissions."""
        return self._transport.read(list[Role], "GET", "/v1/roles")

    def iter_members(self, *, page_size: int = 50) -> Iterator[Member]:
        """Members in the order they joined."""
        return self._iter(Member, "/v1/members", {"limit": page_size})

    def add_member(self, email: str, name: str, role: str, *, password: str | None = None) -> Member:
        """Add a person; without a password, the one that was generated is in the answer, once."""
        body = given(email=email, name=name, role=role, password=password)
        return self._transport.read(Member, "POST", "/v1/members", json=body)

    def change_role(self, member: str, role: str) -> Member:
        """Give a member another role."""
        return self._transport.read(
            Member, "PATCH", path_of("members", member), is_repeatable=True, json={"role": role}
        )

    def remove_member(self, member: str) -> None:
        """Remove a member, with their sessions and keys."""
        self._transport.call("DELETE", path_of("members", member))

    def iter_api_keys(self, *, page_size: int = 50) -> Iterator[ApiKey]:
        """API keys, newest first."""
        return self._iter(ApiKey, "/v1/api-keys", {"limit": page_size})

    def create_api_key(
        self, name: str, *, scopes: Collection[str] | None = None, expires_at: datetime | None = None
    ) -> ApiKey:
        """Create a key; its secret is in the answer, once."""
        wanted = None if scopes is None else sorted(scopes)
        body = given(name=name, scopes=wanted, expires_at=expires_at.isoformat() if expires_at else None)
        return self._transport.read(ApiKey, "POST", "/v1/api-keys", json=body)

    def revoke_api_key(self, key: str) -> None:
        """End a key, and those made with it."""
        self._transport.call("DELETE", path_of("api-keys", key))

    def _iter(self, item: type[Item], path: str, options: Mapping[str, object]) -> Iterator[Item]:
        return iter_items(self._transport, item, path, options)

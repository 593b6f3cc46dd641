"""All SQL of contract intelligence. Rows of other tenants do not exist for these transactions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from mainspring.foundation.db import Row, TenantTransaction
from mainspring.foundation.ids import new_id
from mainspring.foundation.pagination import Page, PageRequest, make_cursor

from .types import (
    AssessedFinding,
    Citation,
    Contract,
    ContractId,
    Counts,
    Decision,
    Edit,
    Finding,
    FindingId,
    FindingKind,
    Method,
    SavedPlaybook,
    Severity,
)

_CONTRACT = """
    select c.*, f.critical, f.high, f.medium, f.low, f.info, f.open, r.run_id is not null as is_reported
      from contract c
      left join lateral (select run_id from report where contract_id = c.id order by run_id desc limit 1) r on true
      left join lateral (
            select count(*) filter (where severity = 'critical') as critical,
                   count(*) filter (where severity = 'high') as high,
                   count(*) filter (where severity = 'medium') as medium,
                   count(*) filter (where severity = 'low') as low,
                   count(*) filter (where severity = 'info') as info,
                   count(*) filter (where decision = 'open') as open
              from finding where contract_id = c.id and run_id = r.run_id) f on true
"""


async def add_contract(transaction: TenantTransaction, contract: Contract) -> bool:
    """Insert; False when the tenant holds a contract with the same bytes."""
    added = await transaction.run(
        """insert into contract (tenant_id, id, document_id, name, media_type, size_bytes, sha256,
                                 playbook, created_by)
           values (%(tenant)s, %(id)s, %(document)s, %(name)s, %(media_type)s, %(size)s, %(sha256)s,
                   %(playbook)s, %(created_by)s)
           on conflict (tenant_id, sha256) do nothing""",
        tenant=transaction.tenant,
        id=contract.id,
        document=contract.document_id,
        name=contract.name,
        media_type=contract.media_type,
        size=contract.size_bytes,
        sha256=contract.sha256,
        playbook=contract.playbook,
        created_by=contract.created_by,
    )
    return added == 1


async def find_contract(transaction: TenantTransaction, contract: ContractId) -> Contract | None:
    """One contract."""
    row = await transaction.first(_CONTRACT + "where c.id = %(id)s", id=contract)
    return _contract(row) if row else None


async def find_contract_by_hash(transaction: TenantTransaction, sha256: str) -> Contract | None:
    """The contract with these bytes."""
    row = await transaction.first(_CONTRACT + "where c.sha256 = %(sha256)s", sha256=sha256)
    return _contract(row) if row else None


async def list_contracts(
    transaction: TenantTransaction, request: PageRequest, *, name: str | None, statuses: Sequence[str] | None
) -> Page[Contract]:
    """Newest first, filtered by a part of the name and by how the newest analysis stands."""
    before, last = request.key(datetime.fromisoformat, UUID)
    rows = await transaction.all(
        _CONTRACT
        + """where (%(name)s::text is null
                    or strpos(lower(c.name || ' ' || coalesce(c.title, '')), lower(%(name)s)) > 0)
               and (%(statuses)s::text[] is null or c.run_status = any(%(statuses)s))
               and (%(before)s::timestamptz is null or (c.created_at, c.id) < (%(before)s::timestamptz, %(last)s::uuid))
             order by c.created_at desc, c.id desc limit %(limit)s""",
        name=name,
        statuses=statuses,
        before=before,
        last=last,
        limit=request.limit + 1,
    )
    items = tuple(_contract(row) for row in rows[: request.limit])
    more = len(rows) > request.limit
    return Page(items, make_cursor(items[-1].created_at.isoformat(), str(items[-1].id)) if more else None)


async def point_at_run(transaction: TenantTransaction, contract: ContractId, run: UUID, playbook: str) -> bool:
    """A new analysis was submitted, with this playbook; False when the contract was deleted meanwhile."""
    pointed = await transaction.run(
        """update contract set run_id = %(run)s, run_status = 'queued', playbook = %(playbook)s where id = %(id)s""",
        id=contract,
        run=run,
        playbook=playbook,
    )
    return pointed == 1


async def note_run_status(transaction: TenantTransaction, run: UUID, status: str) -> None:
    """How the newest analysis stands; what is said of an earlier one, or came late, changes nothing."""
    await transaction.run(
        """update contract set run_status = %(status)s
            where run_id = %(run)s and run_status in ('queued', 'running')""",
        run=run,
        status=status,
    )


async def describe_contract(
    transaction: TenantTransaction, contract: ContractId, *, pages: int | None, language: str, title: str | None
) -> None:
    """What parsing found out."""
    await transaction.run(
        "update contract set pages = %(pages)s, language = %(language)s, title = %(title)s where id = %(id)s",
        id=contract,
        pages=pages,
        language=language,
        title=title,
    )


async def delete_contract(transaction: TenantTransaction, contract: ContractId) -> int:
    """Remove it with its findings, feedback and reports; returns how many were there."""
    return await transaction.run("delete from contract where id = %(id)s", id=contract)


async def add_findings(
    transaction: TenantTransaction, contract: ContractId, run: UUID, findings: Sequence[Finding]
) -> None:
    """Write a run's findings; a repeated step leaves what is there and what was decided alone."""
    await transaction.many(
        """insert into finding (tenant_id, id, contract_id, run_id, place, rule, kind, severity, title, why, category,
                                citations, suggestion, method, confidence)
           values (%(tenant)s, %(id)s, %(contract)s, %(run)s, %(place)s, %(rule)s, %(kind)s, %(severity)s, %(title)s,
                   %(why)s, %(category)s, %(citations)s, %(suggestion)s, %(method)s, %(confidence)s)
           on conflict do nothing""",
        [
            {
                "tenant": transaction.tenant,
                "id": finding.id,
                "contract": contract,
                "run": run,
                "place": finding.place,
                "rule": finding.found.rule,
                "kind": finding.found.kind,
                "severity": finding.found.severity,
                "title": finding.found.title,
                "why": finding.found.why,
                "category": finding.found.category,
                "citations": Jsonb(msgspec.to_builtins(finding.found.citations)),
                "suggestion": finding.found.suggestion,
                "method": finding.found.method,
                "confidence": finding.found.confidence,
            }
            for finding in findings
        ],
    )


async def list_findings(
    transaction: TenantTransaction,
    contract: ContractId,
    request: PageRequest,
    *,
    severity: Severity | None = None,
    decision: Decision | None = None,
) -> Page[Finding]:
    """The findings of the newest finished run, most severe first."""
    (after,) = request.key(int)
    rows = await transaction.all(
        """select f.* from finding f
            where f.contract_id = %(contract)s
              and f.run_id = (select run_id from report where contract_id = %(contract)s
                               order by run_id desc limit 1)
              and (%(severity)s::text is null or f.severity = %(severity)s)
              and (%(decision)s::text is null or f.decision = %(decision)s)
              and f.place > %(after)s::integer
            order by f.place limit %(limit)s""",
        contract=contract,
        severity=severity,
        decision=decision,
        after=-1 if after is None else after,
        limit=request.limit + 1,
    )
    items = tuple(_finding(row) for row in rows[: request.limit])
    return Page(items, make_cursor(str(items[-1].place)) if len(rows) > request.limit else None)


async def findings_of_run(transaction: TenantTransaction, run: UUID) -> tuple[Finding, ...]:
    """Every finding of a run, in order."""
    rows = await transaction.all("select * from finding where run_id = %(run)s order by place", run=run)
    return tuple(_finding(row) for row in rows)


async def find_finding(
    transaction: TenantTransaction, contract: ContractId, finding: FindingId, *, lock: bool = False
) -> Finding | None:
    """One finding of the contract, optionally locked for a decision."""
    plain = "select * from finding where contract_id = %(contract)s and id = %(id)s"
    row = await transaction.first(plain + " for update" if lock else plain, contract=contract, id=finding)
    return _finding(row) if row else None


async def decide_finding(transaction: TenantTransaction, finding: Finding, *, trace: str | None, by: str) -> Finding:
    """Store a decision and keep it as feedback, tied to the run and its trace."""
    edited = Jsonb(msgspec.to_builtins(finding.edited)) if finding.edited else None
    row = await transaction.one(
        """update finding set decision = %(decision)s, reason = %(reason)s, edited = %(edited)s,
                  decided_by = case when %(decision)s = 'open' then null else %(by)s end,
                  decided_at = case when %(decision)s = 'open' then null else now() end
            where id = %(id)s returning *""",
        id=finding.id,
        decision=finding.decision,
        reason=finding.reason,
        edited=edited,
        by=by,
    )
    await transaction.run(
        """insert into finding_feedback (tenant_id, id, finding_id, run_id, trace_id, record_id, decision, reason,
                                         edited, given_by)
           values (%(tenant)s, %(id)s, %(finding)s, %(run)s, %(trace)s,
                   (select id from inference_record where run_id = %(run)s order by id desc limit 1),
                   %(decision)s, %(reason)s, %(edited)s, %(by)s)""",
        tenant=transaction.tenant,
        id=new_id(),
        finding=finding.id,
        run=finding.run_id,
        trace=trace,
        decision=finding.decision,
        reason=finding.reason,
        edited=edited,
        by=by,
    )
    return _finding(row)


async def save_report(transaction: TenantTransaction, contract: ContractId, run: UUID, body: object) -> None:
    """Store the finished report; a repeated step replaces it with the same."""
    await transaction.run(
        """insert into report (tenant_id, run_id, contract_id, body)
           values (%(tenant)s, %(run)s, %(contract)s, %(body)s)
           on conflict (tenant_id, run_id) do update set body = excluded.body""",
        tenant=transaction.tenant,
        run=run,
        contract=contract,
        body=Jsonb(body),
    )


async def find_report(transaction: TenantTransaction, contract: ContractId) -> tuple[UUID, Any, datetime] | None:
    """The newest report: its run, body and time."""
    row = await transaction.first(
        """select run_id, body, created_at from report where contract_id = %(contract)s
            order by run_id desc limit 1""",
        contract=contract,
    )
    return (row["run_id"], row["body"], row["created_at"]) if row else None


async def latest_playbooks(transaction: TenantTransaction) -> tuple[SavedPlaybook, ...]:
    """The newest version of each playbook the tenant saved."""
    rows = await transaction.all("select distinct on (name) * from playbook order by name, version desc")
    return tuple(_playbook(row) for row in rows)


async def find_playbook(transaction: TenantTransaction, name: str, version: int | None) -> SavedPlaybook | None:
    """A saved playbook, the newest version unless one is named."""
    row = await transaction.first(
        """select * from playbook where name = %(name)s and (%(version)s::integer is null or version = %(version)s)
            order by version desc limit 1""",
        name=name,
        version=version,
    )
    return _playbook(row) if row else None


async def playbook_versions(transaction: TenantTransaction, name: str) -> tuple[SavedPlaybook, ...]:
    """Every saved version, newest first."""
    rows = await transaction.all(
        "select * from playbook where name = %(name)s order by version desc limit 200", name=name
    )
    return tuple(_playbook(row) for row in rows)


async def add_playbook(transaction: TenantTransaction, playbook: SavedPlaybook) -> bool:
    """Insert a version; False when someone saved that version a moment ago."""
    added = await transaction.run(
        """insert into playbook (tenant_id, name, version, yaml, title, side, rules, created_by)
           values (%(tenant)s, %(name)s, %(version)s, %(yaml)s, %(title)s, %(side)s, %(rules)s, %(by)s)
           on conflict do nothing""",
        tenant=transaction.tenant,
        name=playbook.name,
        version=playbook.version,
        yaml=playbook.yaml,
        title=playbook.title,
        side=playbook.side,
        rules=playbook.rules,
        by=playbook.created_by,
    )
    return added == 1


async def default_playbook(transaction: TenantTransaction) -> str | None:
    """The name of the tenant's default playbook, if it chose one."""
    row = await transaction.first("select name from playbook_default")
    return row["name"] if row else None


async def set_default_playbook(transaction: TenantTransaction, name: str) -> None:
    """Choose the default."""
    await transaction.run(
        """insert into playbook_default (tenant_id, name) values (%(tenant)s, %(name)s)
           on conflict (tenant_id) do update set name = excluded.name""",
        tenant=transaction.tenant,
        name=name,
    )


def _contract(row: Row) -> Contract:
    counts = Counts(*(row[name] for name in ("critical", "high", "medium", "low", "info", "open")))
    return Contract(
        id=ContractId(row["id"]),
        document_id=row["document_id"],
        name=row["name"],
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        pages=row["pages"],
        language=row["language"],
        title=row["title"],
        playbook=row["playbook"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        counts=counts if row["is_reported"] else None,
    )


def _finding(row: Row) -> Finding:
    return Finding(
        id=FindingId(row["id"]),
        contract_id=ContractId(row["contract_id"]),
        run_id=row["run_id"],
        place=row["place"],
        found=AssessedFinding(
            rule=row["rule"],
            kind=FindingKind(row["kind"]),
            severity=Severity(row["severity"]),
            title=row["title"],
            why=row["why"],
            category=row["category"],
            citations=msgspec.convert(row["citations"], tuple[Citation, ...]),
            suggestion=row["suggestion"],
            method=Method(row["method"]),
            confidence=row["confidence"],
        ),
        decision=Decision(row["decision"]),
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        reason=row["reason"],
        edited=msgspec.convert(row["edited"], Edit) if row["edited"] else None,
    )


def _playbook(row: Row) -> SavedPlaybook:
    return SavedPlaybook(
        **{
            name: row[name]
            for name in ("name", "version", "yaml", "title", "side", "rules", "created_by", "created_at")
        }
    )

"""All SQL of amendments. Rows of other tenants do not exist for these transactions."""

from uuid import UUID

from mainspring.foundation.db import Row, TenantTransaction
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.showcase.contracts.types import ContractId

from .amending import Amendment, AmendmentId


async def add_amendment(transaction: TenantTransaction, amendment: Amendment, *, key: str) -> Amendment:
    """The draft of that key: this one, or the one that was stored under it before."""
    await transaction.run(
        """insert into amendment (tenant_id, id, contract_id, key, clause, page, start_at, end_at, old_text, new_text,
                                  why, drafted_by, run_id, created_at)
           values (%(tenant)s, %(id)s, %(contract)s, %(key)s, %(clause)s, %(page)s, %(start)s, %(end)s, %(old)s,
                   %(new)s, %(why)s, %(drafted_by)s, %(run)s, %(created_at)s)
           on conflict (tenant_id, key) do nothing""",
        tenant=transaction.tenant,
        id=amendment.id,
        contract=amendment.contract,
        key=key,
        clause=amendment.clause,
        page=amendment.page,
        start=amendment.start,
        end=amendment.end,
        old=amendment.old_text,
        new=amendment.new_text,
        why=amendment.why,
        drafted_by=amendment.drafted_by,
        run=amendment.run,
        created_at=amendment.created_at,
    )
    return _amendment(await transaction.one("select * from amendment where key = %(key)s", key=key))


async def find_amendment(transaction: TenantTransaction, amendment: AmendmentId) -> Amendment | None:
    """One draft."""
    row = await transaction.first("select * from amendment where id = %(id)s", id=amendment)
    return _amendment(row) if row else None


async def list_amendments(
    transaction: TenantTransaction, contract: ContractId, request: PageRequest
) -> Page[Amendment]:
    """Those of a contract, newest first."""
    (before,) = request.key(UUID)
    rows = await transaction.all(
        """select * from amendment
            where contract_id = %(contract)s and (%(before)s::uuid is null or id < %(before)s::uuid)
            order by id desc limit %(limit)s""",
        contract=contract,
        before=before,
        limit=request.limit + 1,
    )
    shown, more = cut_page(rows, request)
    return Page(tuple(_amendment(row) for row in shown), make_cursor(str(shown[-1]["id"])) if more else None)


def _amendment(row: Row) -> Amendment:
    return Amendment(
        id=AmendmentId(row["id"]),
        contract=ContractId(row["contract_id"]),
        clause=row["clause"],
        page=row["page"],
        start=row["start_at"],
        end=row["end_at"],
        old_text=row["old_text"],
        new_text=row["new_text"],
        why=row["why"],
        drafted_by=row["drafted_by"],
        run=row["run_id"],
        created_at=row["created_at"],
    )

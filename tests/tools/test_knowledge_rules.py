"""The rules about tenants' homes find their bad samples and leave the good ones alone."""

from pathlib import Path

import pytest

from tools.lint.house import check_file

STORE = Path("src/mainspring/orchestration/knowledge/things/store.py")
SERVICE = Path("src/mainspring/orchestration/knowledge/things/service.py")
HOME = Path("src/mainspring/orchestration/knowledge/homes/other.py")
ELSEWHERE = Path("src/mainspring/application/things/service.py")


@pytest.mark.parametrize(
    "bad",
    ["database.tenant(tenant)", "self._database.system()", "database.raw()", "psycopg.AsyncConnection.connect(url)"],
)
def test_a_transaction_past_the_homes_is_found(bad: str):
    assert [finding.rule for finding in check_file(SERVICE, bad)] == ["home"]
    assert check_file(HOME, bad) == []
    assert check_file(ELSEWHERE, bad) == []


@pytest.mark.parametrize(
    "good", ["homes.reading(tenant)", "homes.writing(principal.tenant)", "key = principal.tenant", "asyncio.connect(x)"]
)
def test_the_homes_own_doors_are_not(good: str):
    assert check_file(SERVICE, good) == []


@pytest.mark.parametrize(
    "bad",
    [
        "Q = 'select name from document where id = 1'",
        "Q = 'delete from chunk'",
        "Q = 'update knowledge_source set name = 1'",
        "Q = 'insert into document_label (label) values (1)'",
        "Q = 'with a as (select 1) select * from a join chunk_terms using (ordinal)'",
        "Q = f'select name from document where {condition}'",
        "Q = 'select name from document where {of_tenant}'",
    ],
)
def test_a_statement_that_leaves_the_tenant_out_is_found(bad: str):
    assert [finding.rule for finding in check_file(STORE, bad)] == ["tenant-named"]


@pytest.mark.parametrize(
    "good",
    [
        "Q = 'select name from document where tenant_id = %(tenant)s'",
        "Q = 'select word from unnest(%(words)s) as word'",
        "Q = 'select a document from the list'",
        "C = 'k.tenant_id = %(tenant)s'\nQ = 'select name from document as k where {of_tenant}'",
        '"""Select from document what is wanted."""',
    ],
)
def test_other_statements_are_left_alone(good: str):
    assert check_file(STORE, good) == []

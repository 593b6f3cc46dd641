"""Real engines under a toolbox."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.valkey import Valkey
from mainspring.foundation.vault import LocalKeyWrapper, Vault
from mainspring.inference.gateway import ToolCalls
from mainspring.inference.gateway.testing import ScriptedProvider, scripted_gateway
from mainspring.orchestration.tools.claims import Claims
from mainspring.orchestration.tools.rates import Rates
from mainspring.orchestration.tools.secrets import ToolSecrets
from mainspring.orchestration.tools.service import ToolParts
from mainspring.orchestration.tools.testing import Desk
from tests.orchestration.tools.workshop import LEASE, Workshop, no_pause


@pytest.fixture
def vault(database: Database) -> Vault:
    return Vault(database, LocalKeyWrapper([bytes(range(32))]))


@pytest.fixture
async def records(database: Database, tmp_path: Path) -> AsyncIterator[ToolCalls]:
    async with ScriptedProvider() as provider:
        gateway = await scripted_gateway(provider, database, tmp_path)
        yield ToolCalls(gateway)
        await gateway.close()


@pytest.fixture
def workshop(database: Database, valkey: Valkey, vault: Vault, records: ToolCalls, tenant: TenantId) -> Workshop:
    desk = Desk()
    parts = ToolParts(
        database,
        Claims(database, vault, lease=LEASE),
        Rates(valkey),
        ToolSecrets(database, vault),
        records,
        approver=desk,
        pause=no_pause,
    )
    return Workshop(tenant, parts, desk)

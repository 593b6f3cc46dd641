"""A workshop for each test."""

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from tests.orchestration.knowledge.workshop import Workshop, open_workshop


@pytest.fixture
def workshop(database: Database, objects: ObjectStore, tenant: TenantId) -> Workshop:
    return open_workshop(database, objects, tenant)

"""One library that is only read, filled once, and an empty one for each test that writes."""

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.objects import ObjectStore
from mainspring.orchestration.knowledge.types import Label

from .books import Library, clauses

RENT = (
    "Rent. The tenant pays a monthly rent of 1,250 euros to the landlord on the third working day of each month, "
    "without deduction, to the account that the landlord names."
)
PETS = (
    "Animals. Dogs, cats and other animals may be kept in the flat only with the written consent of the landlord, "
    "who refuses it only for good reasons such as noise."
)
NOTICE = (
    "Notice. Either side may end the lease by giving three months notice in writing to the end of a calendar month; "
    "reference LX-2041 must stand in the letter."
)
SECURITY = (
    "Security. The supplier is certified under ISO-27001 and encrypts all personal data at rest and in transit, with "
    "keys that only the customer holds."
)
LIABILITY = (
    "Liability. The liability of the supplier for all claims of a year together shall not exceed the fees that the "
    "customer paid in that year."
)
INVENTIONS = (
    "Inventions. Whatever the engineer invents at work belongs to the company; the patent for the flux turbine is "
    "named in annex 7 of this agreement."
)
BOARD = (
    "Merger. The board has resolved to merge with Quillfeather Holdings, codename zanzibar, and keeps this secret "
    "from the staff until the closing of the deal."
)


@pytest.fixture(scope="session")
async def shelf(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Three documents for everybody and one for the board: read only."""
    objects = ObjectStore.open(f"file://{tmp_path_factory.mktemp('shelf')}")
    library = Library.open(database, objects, TenantId(new_id()))
    lease = clauses(RENT, PETS, NOTICE)
    start = lease.index("3. Notice")
    await library.add(
        "lease",
        lease,
        source="housing",
        metadata={"city": "Graz", "floor": "2"},
        labels=[Label("Termination", start, len(lease), 0.9)],
    )
    await library.add("hosting", clauses(SECURITY, LIABILITY), source="it", metadata={"city": "Linz"})
    await library.add("engineer", clauses(INVENTIONS), source="staff", document_type="employment")
    await library.add("minutes", clauses(BOARD), source="board", readers=("team:board",))
    return library


@pytest.fixture
def library(database: Database, objects: ObjectStore, tenant: TenantId) -> Library:
    """Empty."""
    return Library.open(database, objects, tenant)

"""One whole system for the tests of this folder, with two tenants and an analysed contract in the first."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from mainspring.application.identity import Role
from mainspring.showcase.contracts import sample_path
from tests.stack import Person, RunningStack, run_stack


@dataclass(frozen=True, slots=True)
class Scene:
    """What exists in the first tenant, and who may try to touch it."""

    stack: RunningStack
    people: dict[Role, Person]
    stranger: Person
    contract: str
    run: str
    finding: str
    key: str
    member: str


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Every process of `mainspring serve`."""
    with run_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def scene(stack: RunningStack) -> Scene:
    """Tenant `acme` with one member of each role and an analysed contract; tenant `rival` with an owner."""
    people = {role: stack.person("acme", role) for role in Role}
    with stack.client(people[Role.OWNER]) as client:
        submitted = client.upload_contract(sample_path("msa.pdf"))
        assert list(client.events(submitted.run.id))[-1].data["status"] == "succeeded"
        return Scene(
            stack=stack,
            people=people,
            stranger=stack.person("rival"),
            contract=submitted.contract.id,
            run=submitted.run.id,
            finding=next(client.iter_findings(submitted.contract.id)).id,
            key=client.create_api_key("spare").id,
            member=next(member.id for member in client.iter_members() if member.role == "viewer"),
        )

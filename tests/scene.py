"""A scene on a whole system: two tenants, a member of each role, an analysed contract."""

from dataclasses import dataclass

from mainspring.application.identity import Role
from mainspring.showcase.contracts import sample_path
from tests.stack import Person, RunningStack


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


def set_scene(stack: RunningStack) -> Scene:
    """Tenant `acme` with one member of each role and an analysed contract; tenant `rival` with an owner."""
    people = {role: stack.person("acme", role) for role in Role}
    with stack.client(people[Role.OWNER]) as client:
        submitted = client.upload_contract(sample_path("msa.pdf"))
        last = list(client.events(submitted.run.id))[-1].data
        assert last["status"] == "succeeded", last["error"]
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

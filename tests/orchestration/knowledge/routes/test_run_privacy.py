"""Whom the runs about a document may tell of it: its readers, and of its indexing those who manage knowledge."""

from mainspring.application.identity.testing import Person
from mainspring.orchestration.knowledge.routes import RunPrivacy

from .conftest import Office
from .test_readers import me


async def test_runs_about_a_closed_document_are_closed_to_all_but_its_readers_and_overseers(
    office: Office, analyst: Person, viewer: Person, admin: Person
):
    closed = (await office.index(analyst, "secret.txt", "The merger closes in May.", readers=[me(analyst)]))["id"]
    common = (await office.index(analyst, "menu.txt", "Soup on Mondays."))["id"]
    analysis = closed.replace("doc_", "ctr_")
    subjects = [closed, common, analysis, "source:wiki", "doc_" + "0" * 26, "doc_nonsense", "ctr_", ""]
    privacy = RunPrivacy(office.services.documents, products=("ctr",))
    found = {
        name: set(await privacy.closed_to(person.principal, subjects))
        for name, person in (("reader", analyst), ("viewer", viewer), ("admin", admin))
    }
    assert found == {"reader": set(), "viewer": {closed, analysis}, "admin": {analysis}}

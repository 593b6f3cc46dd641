"""The client's types have the fields that the API's reference has: neither falls behind the other."""

import dataclasses
from typing import Any

import httpx
import pytest

from mainspring.entry import client as types
from tests.scene import Scene

SHAPES: dict[type, str] = {
    types.Contract: "ContractShape",
    types.FindingCounts: "FindingCounts",
    types.Submitted: "Submitted",
    types.ContractText: "TextShape",
    types.Span: "PageShape",
    types.Block: "BlockShape",
    types.Chunk: "ChunkShape",
    types.Label: "LabelShape",
    types.Definition: "DefinitionShape",
    types.Report: "ReportShape",
    types.Citation: "CitationShape",
    types.Sentence: "SentenceShape",
    types.Summary: "SummaryShape",
    types.ModelText: "ModelText",
    types.Fact: "FactShape",
    types.CategoryHeld: "CategoryShape",
    types.Finding: "FindingShape",
    types.Edit: "EditedFinding",
    types.PlaybookUsed: "PlaybookUsed",
    types.Playbook: "PlaybookText",
    types.Run: "RunLineShape",
    types.RunItems: "ItemsShape",
    types.RunStep: "StepShape",
    types.RunError: "ErrorShape",
    types.Record: "RecordView",
    types.User: "UserView",
    types.Tenant: "TenantView",
    types.Role: "RoleView",
    types.Member: "NewMemberView",
    types.ApiKey: "NewApiKeyView",
}


@pytest.fixture(scope="module")
def schemas(scene: Scene) -> dict[str, Any]:
    return httpx.get(f"{scene.stack.url}/openapi.json").json()["components"]["schemas"]


@pytest.mark.parametrize("kind", SHAPES)
def test_a_type_has_the_fields_of_its_shape(schemas: dict[str, Any], kind: type):

    assert {field.name for field in dataclasses.fields(kind)} == set(schemas[SHAPES[kind]]["properties"])


def test_a_session_has_all_fields_but_those_of_a_browser(schemas: dict[str, Any]):
    ours = {field.name for field in dataclasses.fields(types.Session)}
    assert set(schemas["Session"]["properties"]) - ours == {"csrf_token", "tenants"}

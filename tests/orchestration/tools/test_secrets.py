"""A secret is named everywhere and shown nowhere: a canary is stored, used, and looked for in all that is kept."""

import base64
import logging
from urllib.parse import quote

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Forbidden, InvalidInput, NotFound
from mainspring.orchestration.tools.declaring import tool
from mainspring.orchestration.tools.errors import ToolError
from mainspring.orchestration.tools.secrets import ToolSecrets
from mainspring.orchestration.tools.showing import show_to_model
from mainspring.orchestration.tools.types import Partial, ResultStatus, ToolContext
from tests.inference.gateway.conftest import wait_until
from tests.orchestration.tools.workshop import Workshop

CANARY = 'canary"\\/&-0123456789'


@tool(secrets=("mail.token",), retries=1)
async def leak(context: ToolContext, how: str) -> object:
    """Leak a secret."""
    value = await context.secret("other" if how == "undeclared" else "mail.token")
    match how:
        case "error":
            raise ToolError(f"The server refused {value}.")
        case "crash":
            raise RuntimeError(value)
        case "connection":
            raise ConnectionError(value)
        case "note":
            return Partial("half", f"The other half is behind {value}.")
        case "base64":
            return base64.b64encode(value.encode()).decode()
        case "percent":
            return f"https://example.com/?token={quote(value, safe='')}"
        case "deep":
            return {"headers": [{"authorization": f"Bearer {value}"}], value: True}
        case _:
            return f"It is {value}."


HOWS = ["plain", "error", "crash", "connection", "note", "base64", "percent", "deep"]


async def test_a_canary_is_in_no_result_row_record_or_log(
    workshop: Workshop, database: Database, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    await workshop.parts.secrets.put(workshop.admin, "mail.token", CANARY)
    box, caller = workshop.box([leak]), workshop.caller("ai.output.view")
    results = [await box.call(caller, "leak", {"how": how}, call_id=how) for how in HOWS]

    async def all_recorded() -> bool:
        return len(await workshop.rows("inference_payload")) >= len(HOWS)

    await wait_until(all_recorded)
    kept = [
        repr(row) for table in ("tool_call", "tool_secret", "inference_record") for row in await workshop.rows(table)
    ]
    kept += [await _unsealed(workshop, row) for row in await workshop.rows("tool_call")]
    said = [repr(results), *map(show_to_model, results), *map(str, caplog.records), caplog.text]
    for spelling in (CANARY, base64.b64encode(CANARY.encode()).decode(), quote(CANARY, safe=""), "canary"):
        assert not [text for text in kept + said if spelling in text]
    assert any("[secret mail.token]" in text for text in said)
    assert results[-1].content == {
        "headers": [{"authorization": "Bearer [secret mail.token]"}],
        "[secret mail.token]": True,
    }


async def _unsealed(workshop: Workshop, row: dict[str, object]) -> str:
    from uuid import UUID

    vault = await workshop.parts.claims._vault.open_tenant(workshop.tenant)  # pyright: ignore[reportPrivateUsage]
    identifier, sealed = row["id"], row["result"]
    assert isinstance(identifier, UUID)
    assert isinstance(sealed, bytes)
    return vault.unseal("tool_result", identifier, sealed).decode()


async def test_a_tool_opens_only_what_it_declared_and_what_is_stored(workshop: Workshop):
    box, caller = workshop.box([leak]), workshop.caller()
    missing = await box.call(caller, "leak", {"how": "plain"}, call_id="1")
    assert missing.error is not None
    assert (missing.error.code, "PUT /v1/tool-secrets/mail.token" in missing.error.detail) == ("secret_unknown", True)
    await workshop.parts.secrets.put(workshop.admin, "other", "another-secret")
    undeclared = await box.call(caller, "leak", {"how": "undeclared"}, call_id="2")
    assert undeclared.error is not None
    assert "did not declare" in undeclared.error.detail


async def test_another_tenant_has_no_such_secret(workshop: Workshop, other_tenant: object):
    await workshop.parts.secrets.put(workshop.admin, "mail.token", CANARY)
    foreign = workshop.principal("tool.manage", tenant=other_tenant)  # pyright: ignore[reportArgumentType]
    assert await workshop.parts.secrets.list(foreign) == []
    with pytest.raises(NotFound):
        await workshop.parts.secrets.delete(foreign, "mail.token")


async def test_secrets_are_listed_by_name_replaced_and_deleted_by_who_may(workshop: Workshop):
    secrets: ToolSecrets = workshop.parts.secrets
    await secrets.put(workshop.admin, "mail.token", CANARY)
    await secrets.put(workshop.admin, "mail.token", "replaced-by-this")
    assert await secrets.open(workshop.tenant, "mail.token") == "replaced-by-this"
    assert [each.name for each in await secrets.list(workshop.admin)] == ["mail.token"]
    with pytest.raises(Forbidden):
        await secrets.list(workshop.principal())
    await secrets.delete(workshop.admin, "mail.token")
    with pytest.raises(NotFound):
        await secrets.delete(workshop.admin, "mail.token")


@pytest.mark.parametrize(("name", "value"), [("Mail", "long enough"), ("mail", "short"), ("mail", "with\nline ends")])
async def test_a_secret_that_cannot_be_kept_is_refused_without_its_value(workshop: Workshop, name: str, value: str):
    with pytest.raises(InvalidInput) as refused:
        await workshop.parts.secrets.put(workshop.admin, name, value)
    assert value not in refused.value.detail
    assert ResultStatus.OK.value == "ok"

"""`Direct`: events posted to addresses that callers name one by one, such as the webhook of an agent's run.

All addresses of one host are one endpoint, made when the first is named: so they share its places, its health and its
signing secret, and who keeps endpoints sees it among the others, turns it off, rotates its secret and replays. It asks
for no topics. Each delivery carries its own address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.principal import Principal
from mainspring.foundation.vault import Vault
from mainspring.foundation.webguard import read_url

from . import store
from .errors import EndpointOff, TooManyEndpoints
from .sending import SECRET_KIND
from .service import Check
from .types import ENDPOINT_PREFIX, EndpointId, EndpointKind, EndpointState, Format, NewEndpoint
from .webhooks import make_secret

MAX_HOSTS = 100
_DESCRIPTION = "Addresses that callers named, such as webhooks of agents' runs."


@dataclass(frozen=True, slots=True)
class DirectPost:
    """What is to be posted, once for each `cause`.

    cause  the fact in the outbox that it tells of
    data   the body, as JSON
    """

    tenant: TenantId
    cause: UUID
    url: str
    topic: str
    data: Mapping[str, Any]
    occurred_at: datetime


class Direct:
    """Takes addresses, and posts to those it took.

    check   refuses what no webhook may be, as for other endpoints
    """

    def __init__(self, database: Database, vault: Vault, check: Check) -> None:
        self._database = database
        self._vault = vault
        self._check = check

    async def prepare(self, principal: Principal, url: str) -> None:
        """Take an address, so that it can be posted to later.

        raises   UrlRefused, EndpointInvalid, EndpointOff where its host was turned off, TooManyEndpoints
        """
        self._check(NewEndpoint(url, ()))
        endpoint = _endpoint_for(principal.tenant, url)
        async with self._database.tenant(principal.tenant) as transaction:
            rows = await store.list_endpoints(transaction, endpoint=endpoint)
            hosts = await store.count_endpoints(transaction, are_direct=True)
        if not rows:
            if hosts >= MAX_HOSTS:
                raise TooManyEndpoints(
                    f"Webhooks of {MAX_HOSTS} hosts were named, the most there may be; delete an endpoint first."
                )
            await self._make(principal, endpoint, url)
        elif rows[0]["state"] != EndpointState.ON.value:
            shown = show_id(ENDPOINT_PREFIX, endpoint)
            raise EndpointOff(f"The endpoint {shown} of {_origin(url)} is {rows[0]['state']}; have it turned on first.")

    async def post(self, wanted: DirectPost) -> bool:
        """Write the delivery, once for each cause; whether there is an endpoint for it, which may be deleted by now."""
        event = {"id": uuid5(wanted.cause, "direct"), "topic": wanted.topic, "occurred_at": wanted.occurred_at}
        endpoint = _endpoint_for(wanted.tenant, wanted.url)
        async with self._database.tenant(wanted.tenant) as transaction:
            if not await store.list_endpoints(transaction, endpoint=endpoint):
                return False
            await store.insert_deliveries(transaction, event, wanted.data, [(new_id(), endpoint)], url=wanted.url)
        return True

    async def _make(self, principal: Principal, endpoint: EndpointId, url: str) -> None:
        vault, secret = await self._vault.open_tenant(principal.tenant), new_id()
        sealed = vault.seal(SECRET_KIND, secret, make_secret().encode())
        row = {
            "id": endpoint,
            "kind": EndpointKind.WEBHOOK.value,
            "url": f"{_origin(url)}/",
            "address": "",
            "format": Format.PLAIN.value,
            "topics": list[str](),
            "description": _DESCRIPTION,
            "by": principal.name,
        }
        async with self._database.tenant(principal.tenant) as transaction:
            if await store.insert_endpoint(transaction, row):
                await store.insert_secret(transaction, endpoint, secret, sealed)


def _origin(url: str) -> str:
    return read_url(url).origin


def _endpoint_for(tenant: TenantId, url: str) -> EndpointId:
    """The same for every address of a host, so that two who name the first at once make one."""
    return EndpointId(uuid5(tenant, _origin(url)))

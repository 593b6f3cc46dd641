"""HTTP: what agents remember across threads."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from mainspring.foundation.http import CurrentPrincipal
from mainspring.orchestration.agents.server.keys import KeyRoute
from mainspring.orchestration.agents.server.words import EDIT, RUN

from .schemas import (
    ItemList,
    ItemName,
    ItemPut,
    ItemSearchBody,
    ItemShape,
    NamespaceList,
    NamespaceSearchBody,
    check_namespace,
    show_found,
    show_item,
)
from .service import Items


def build_router(items: Items) -> APIRouter:
    """The routes below /store."""
    router = APIRouter(prefix="/store", tags=["agents: store"], route_class=KeyRoute)

    @router.put("/items", status_code=204)
    async def put_item(principal: CurrentPrincipal, item: ItemPut) -> Response:
        """Store a value under a namespace and key, in place of what was there."""
        principal.require(EDIT)
        await items.put(principal.tenant, item)
        return Response(status_code=204)

    @router.get("/items")
    async def get_item(
        principal: CurrentPrincipal,
        key: str,
        namespace: Annotated[list[str], Query(description="Labels, or one value with periods between them.")],
        refresh_ttl: bool = True,
    ) -> ItemShape | None:
        """The item; null when there is none."""
        principal.require(RUN)
        labels = [label for part in namespace for label in part.split(".")]
        name = ItemName(namespace=check_namespace(labels), key=key)
        found = await items.find(principal.tenant, name, refresh=refresh_ttl)
        return ItemShape.model_validate(show_item(found)) if found else None

    @router.delete("/items", status_code=204)
    async def delete_item(principal: CurrentPrincipal, name: ItemName) -> Response:
        """Forget an item; one that is not there is no error."""
        principal.require(EDIT)
        await items.delete(principal.tenant, name)
        return Response(status_code=204)

    @router.post("/items/search")
    async def search_items(principal: CurrentPrincipal, wanted: ItemSearchBody) -> ItemList:
        """Items below a namespace; `query` puts those that hold its words first, by words and not by meaning."""
        principal.require(RUN)
        found = await items.search(principal.tenant, wanted)
        return ItemList(items=[ItemShape.model_validate(show_found(each)) for each in found])

    @router.post("/namespaces")
    async def list_namespaces(principal: CurrentPrincipal, wanted: NamespaceSearchBody) -> NamespaceList:
        """Namespaces that hold something."""
        principal.require(RUN)
        return NamespaceList(namespaces=await items.list_namespaces(principal.tenant, wanted))

    return router

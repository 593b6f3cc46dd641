"""HTTP: what waits and runs of the caller's tenant, lane by lane."""

from fastapi import APIRouter

from mainspring.foundation.http import CurrentPrincipal

from .operating import Operating
from .run_routes import READ
from .schemas import LaneList, lane_shape


def add_lanes(router: APIRouter, operating: Operating) -> None:
    """The lanes of a tenant."""

    @router.get("/lanes")
    async def list_lanes(principal: CurrentPrincipal) -> LaneList:
        """Each step of each version of which something of the tenant is ready or runs, and whether it is held.

        Held are also those that the operator holds for everybody.
        """
        principal.require(READ)
        return LaneList(items=[lane_shape(lane) for lane in await operating.lanes.list(principal.tenant)])

"""`ProductTools`: the platform's toolbox as products' steps reach it.

Products bring tools, so the toolbox is made of what they were built to, after them. What they are handed is therefore
filled later: steps and routes call it by closure, `build` itself cannot.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .errors import ProductInvalid

if TYPE_CHECKING:  # tools bring the gateway's recording with them, which products without tools never load
    from mainspring.foundation.principal import Principal
    from mainspring.orchestration.tools import Tool, Toolbox, ToolCaller, ToolResult
    from mainspring.orchestration.tools.types import Json


class ProductTools:
    """Calls tools of the platform, of every product and of the tenant's MCP servers, as agents do: with their checks,
    policies, rates, approvals and records.
    """

    def __init__(self) -> None:
        self._toolbox: Toolbox | None = None

    def fill(self, toolbox: "Toolbox") -> None:
        """For the composition root, once, when every product is built."""
        self._toolbox = toolbox

    async def call(
        self, caller: "ToolCaller", name: str, arguments: "str | Mapping[str, Json]", *, call_id: str
    ) -> "ToolResult":
        """As `Toolbox.call`: the same call id in the caller's scope is carried out once, however often a step runs."""
        return await self._filled().call(caller, name, arguments, call_id=call_id)

    async def visible(self, principal: "Principal") -> "tuple[Tool, ...]":
        """The tools that the principal may use now, by name."""
        return await self._filled().visible(principal)

    def _filled(self) -> "Toolbox":
        if self._toolbox is None:
            raise ProductInvalid("A product called a tool while it was being built; call it from a step or a route.")
        return self._toolbox

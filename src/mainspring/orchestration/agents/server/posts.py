"""What the server needs of whoever posts to addresses that clients name: `delivery.Direct` is one."""

from typing import Protocol

from mainspring.foundation.principal import Principal
from mainspring.orchestration.agents.errors import AgentInputInvalid
from mainspring.orchestration.delivery import DirectPost


class Posts(Protocol):
    """How addresses are taken, and posted to later."""

    async def prepare(self, principal: Principal, url: str) -> None:
        """Take the address, or refuse it as the caller's fault."""
        ...

    async def post(self, wanted: DirectPost) -> bool:
        """Have it posted, once for each cause; whether there is still somebody who takes it."""
        ...


class NoPosts:
    """Refuses every address: for where nothing is delivered."""

    async def prepare(self, principal: Principal, url: str) -> None:
        """AgentInputInvalid."""
        raise AgentInputInvalid("webhook: nothing is posted from here; leave it out and wait for the run.")

    async def post(self, wanted: DirectPost) -> bool:
        """Nobody takes it."""
        return False

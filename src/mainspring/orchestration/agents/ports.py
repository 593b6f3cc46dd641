"""What agents need from above: rights as they stand now."""

from typing import Protocol

from mainspring.foundation.principal import Principal


class Rights(Protocol):
    """Whether a caller may still do what it could when it submitted a run."""

    async def current(self, principal: Principal) -> Principal | None:
        """The same caller with the permissions it holds now; None when it is gone."""
        ...


class AsSubmitted:
    """Rights as they were at submission; for where nobody can be asked."""

    async def current(self, principal: Principal) -> Principal | None:
        """The principal as it is."""
        return principal

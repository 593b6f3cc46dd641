"""Who may act on whom: nobody hands out, changes or takes away more than they hold themselves."""

from mainspring.foundation.errors import Forbidden
from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.principal import Principal, PrincipalKind

from .types import ALL_PERMISSIONS, ROLE_PERMISSIONS, Role


def operator(tenant: TenantId) -> Principal:
    """The principal of whoever runs the platform, at the command line, acting in one tenant."""
    return Principal(tenant, PrincipalKind.SYSTEM, "The operator", ALL_PERMISSIONS)


def show_actor(principal: Principal) -> str:
    """The principal as events name it: a user's id, a key's id, or `operator`."""
    if principal.user is not None:
        return show_id("usr", principal.user)
    if principal.credential is not None:
        return show_id("key", principal.credential)
    return "operator"


def require_over(principal: Principal, role: Role) -> None:
    """Forbidden when `role` holds a permission that the principal does not."""
    beyond = ROLE_PERMISSIONS[role] - principal.permissions
    if beyond:
        raise Forbidden(
            f"{principal.name} may not give, change or take away the role {role.value!r}, which holds "
            f"{_and(beyond)}, as {principal.name} does not; ask an owner of the tenant to do it."
        )


def require_scopes(principal: Principal, scopes: frozenset[str]) -> None:
    """Forbidden when a scope is a permission that the principal does not hold."""
    beyond = scopes - principal.permissions
    if beyond:
        raise Forbidden(
            f"{principal.name} does not hold {_and(beyond)} and cannot give it to an API key; leave it out, "
            "or ask an owner or admin of the tenant, whose roles may have it, to create the key."
        )


def _and(permissions: frozenset[str]) -> str:
    return ", ".join(repr(permission) for permission in sorted(permissions))

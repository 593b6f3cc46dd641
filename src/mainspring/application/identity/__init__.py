"""Identity: tenants, the people in them, their roles and permissions, API keys and sessions."""

from .authority import operator
from .credentials import PasswordCost
from .service import Identity
from .sessions import Attempt
from .settings import IdentitySettings
from .throttle import Allowance
from .types import (
    ALL_PERMISSIONS,
    ROLE_PERMISSIONS,
    ApiKey,
    Caller,
    KeyId,
    Member,
    MemberId,
    NewKey,
    NewMember,
    Permission,
    Role,
    SignedIn,
    Team,
    TeamId,
    Tenant,
    TenantChoice,
    User,
)

__all__ = [
    "ALL_PERMISSIONS",
    "ROLE_PERMISSIONS",
    "Allowance",
    "ApiKey",
    "Attempt",
    "Caller",
    "Identity",
    "IdentitySettings",
    "KeyId",
    "Member",
    "MemberId",
    "NewKey",
    "NewMember",
    "PasswordCost",
    "Permission",
    "Role",
    "SignedIn",
    "Team",
    "TeamId",
    "Tenant",
    "TenantChoice",
    "User",
    "operator",
]

"""The vault: what a tenant stores sealed, under a data key of its own that is itself wrapped."""

from .errors import Unreadable
from .master import LocalKeyWrapper, open_local_wrapper
from .sealing import TenantVault
from .vault import Rewrapped, Vault
from .wrapping import KeyWrapper

__all__ = ["KeyWrapper", "LocalKeyWrapper", "Rewrapped", "TenantVault", "Unreadable", "Vault", "open_local_wrapper"]

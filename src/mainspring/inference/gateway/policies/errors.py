"""What configuring refuses, and what calls meet when a configuration cannot be read."""

from mainspring.foundation.errors import Conflict, InvalidInput, Unavailable
from mainspring.inference.gateway.errors import ModelError


class InvalidPolicy(InvalidInput):
    """The document is no policy; the detail names the field, its value and what it must be."""

    code = "invalid_policy"

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"The policy was not stored: {problem}")
        self.places = ((path, problem),)


class PolicyStale(Conflict):
    """The policy was changed since it was read."""

    code = "policy_stale"


class PolicyUnreadable(Unavailable):
    """The stored policy is not one this version knows; no call is made without knowing what it forbids."""

    code = "policy_unreadable"
    retryable = False


class ProviderKeyUnreadable(ModelError):
    """The tenant's own key at a provider cannot be decrypted; ours is never used in its place."""

    code = "provider_key_unreadable"
    status = 409


class ProviderKeyMisplaced(ModelError):
    """The tenant's own key is for a vendor in whose place the platform has another server; it is not sent there."""

    code = "provider_key_misplaced"
    status = 409

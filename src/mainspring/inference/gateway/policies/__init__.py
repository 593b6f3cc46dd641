"""What tenants configure about their calls: the policy, their own provider keys; and what they have spent."""

from .documents import policy_schema, read_policy
from .errors import InvalidPolicy, PolicyStale, PolicyUnreadable, ProviderKeyMisplaced, ProviderKeyUnreadable
from .models import ModelEndpoint, ModelPrice, Models, UsableModel
from .provider_keys import KNOWN_PROVIDERS, ProviderKeys
from .reading import Configuration, ConfigurationReader, open_provider_key
from .service import Policies
from .spend import Spending
from .types import ProviderKeyFacts, SpendDay, SpendQuery, StoredPolicy

__all__ = [
    "KNOWN_PROVIDERS",
    "Configuration",
    "ConfigurationReader",
    "InvalidPolicy",
    "ModelEndpoint",
    "ModelPrice",
    "Models",
    "Policies",
    "PolicyStale",
    "PolicyUnreadable",
    "ProviderKeyFacts",
    "ProviderKeyMisplaced",
    "ProviderKeyUnreadable",
    "ProviderKeys",
    "SpendDay",
    "SpendQuery",
    "Spending",
    "StoredPolicy",
    "UsableModel",
    "open_provider_key",
    "policy_schema",
    "read_policy",
]

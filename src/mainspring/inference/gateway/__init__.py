"""The gateway: one door to every model, with a record of each call."""

from mainspring.inference.gateway.build import build_gateway
from mainspring.inference.gateway.cache import KeptReplies
from mainspring.inference.gateway.models import LOCAL_CHAT, LOCAL_EMBEDDING
from mainspring.inference.gateway.policies import Models, Policies, ProviderKeys, Spending
from mainspring.inference.gateway.ports import AiSwitch, CallerFacts, Directory, TenantFacts
from mainspring.inference.gateway.providers.local.assets import bundled_models, local_models_command
from mainspring.inference.gateway.providers.profiles import Profile
from mainspring.inference.gateway.records import Records, forget_payloads, list_records, purge_payloads
from mainspring.inference.gateway.service import Gateway
from mainspring.inference.gateway.structured import Fit, Misfit
from mainspring.inference.gateway.tool_calls import ToolCalls, ToolRecording, check_arguments
from mainspring.inference.gateway.types import (
    CallContext,
    CallKind,
    Embeddings,
    GatewaySettings,
    InferenceRecord,
    Operation,
    RecordStatus,
    RetryPolicy,
)

__all__ = [
    "LOCAL_CHAT",
    "LOCAL_EMBEDDING",
    "AiSwitch",
    "CallContext",
    "CallKind",
    "CallerFacts",
    "Directory",
    "Embeddings",
    "Fit",
    "Gateway",
    "GatewaySettings",
    "InferenceRecord",
    "KeptReplies",
    "Misfit",
    "Models",
    "Operation",
    "Policies",
    "Profile",
    "ProviderKeys",
    "RecordStatus",
    "Records",
    "RetryPolicy",
    "Spending",
    "TenantFacts",
    "ToolCalls",
    "ToolRecording",
    "build_gateway",
    "bundled_models",
    "check_arguments",
    "forget_payloads",
    "list_records",
    "local_models_command",
    "purge_payloads",
]

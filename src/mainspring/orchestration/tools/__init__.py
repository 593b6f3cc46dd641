"""Tools: typed functions that models may call, each call permitted, bounded, done once, recorded and told apart."""

from .access import ToolAccess
from .approving import PeopleApprove
from .claims import Claims
from .declaring import tool
from .errors import SecretUnknown, ToolAway, ToolError, ToolInvalid
from .overview import ToolOverview, purge_tool_calls
from .policies import ToolPolicies
from .ports import AllFlags, ApprovalRequest, Approver, Flags, ToolSource
from .rates import Rates
from .secrets import ToolSecrets
from .service import Toolbox, ToolParts
from .showing import show_to_model, wrap
from .types import (
    Effects,
    Empty,
    Json,
    Partial,
    Rate,
    ResultStatus,
    Tool,
    ToolCaller,
    ToolCallFacts,
    ToolContext,
    ToolFailure,
    ToolPolicy,
    ToolResult,
)

__all__ = [
    "AllFlags",
    "ApprovalRequest",
    "Approver",
    "Claims",
    "Effects",
    "Empty",
    "Flags",
    "Json",
    "Partial",
    "PeopleApprove",
    "Rate",
    "Rates",
    "ResultStatus",
    "SecretUnknown",
    "Tool",
    "ToolAccess",
    "ToolAway",
    "ToolCallFacts",
    "ToolCaller",
    "ToolContext",
    "ToolError",
    "ToolFailure",
    "ToolInvalid",
    "ToolOverview",
    "ToolParts",
    "ToolPolicies",
    "ToolPolicy",
    "ToolResult",
    "ToolSecrets",
    "ToolSource",
    "Toolbox",
    "purge_tool_calls",
    "show_to_model",
    "tool",
    "wrap",
]

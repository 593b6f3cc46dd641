"""What tools refuse. A tool's own failure is no error here: it is a result that says FAILED.

ToolInvalid        500 tool_invalid          the declaration is wrong; raised at import
ToolError          502 tool_failed           raised by a tool: the model reads its detail
+-- ToolAway       503 tool_away             retryable: the call may be tried again
SecretUnknown      409 secret_unknown
McpServerNotFound  404 not_found
McpFailure         502 mcp_failed            what an MCP server did wrong
+-- McpAway        503 mcp_away              retryable
+-- McpRefused     403 mcp_refused           it wants other credentials
ListingChanged     409 listing_changed       what is approved is no longer what the server offers
"""

from mainspring.foundation.errors import Conflict, MainspringError


class ToolInvalid(MainspringError):
    """A tool is declared wrongly."""

    code = "tool_invalid"
    status = 500


class ToolError(MainspringError):
    """A tool could not do what it was asked; its detail is shown to the model and must be safe to show."""

    code = "tool_failed"
    status = 502


class ToolAway(ToolError):
    """What the tool needs does not answer now; the same call may be tried again."""

    code = "tool_away"
    status = 503
    retryable = True


class SecretUnknown(Conflict):
    """A tool needs a secret that the tenant has not stored, or that it did not declare."""

    code = "secret_unknown"


class McpFailure(MainspringError):
    """An MCP server answered with what cannot be used."""

    code = "mcp_failed"
    status = 502


class McpAway(McpFailure):
    """An MCP server does not answer."""

    code = "mcp_away"
    status = 503
    retryable = True


class McpRefused(McpFailure):
    """An MCP server does not accept the stored credentials."""

    code = "mcp_refused"
    status = 403


class ListingChanged(Conflict):
    """The server offers other tools now than those that were looked at."""

    code = "listing_changed"

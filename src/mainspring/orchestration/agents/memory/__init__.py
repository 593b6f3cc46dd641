"""What agents remember across threads: LangGraph's store over one tenant's items."""

from .memory import TenantStore

__all__ = ["TenantStore"]

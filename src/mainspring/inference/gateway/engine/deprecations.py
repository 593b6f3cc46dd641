"""Deprecated models in the log: once for each tenant and name in an hour, not once for each call."""

from datetime import date

from mainspring.foundation.ids import TenantId
from mainspring.foundation.telemetry import get_logger
from mainspring.inference.gateway.models import Lifecycle, Resolution

log = get_logger(__name__)

_EVERY_SECONDS = 3600.0
_MOST_NOTED = 20_000


class Deprecations:
    """What this process has lately logged."""

    __slots__ = ("_due",)

    def __init__(self) -> None:
        self._due: dict[tuple[TenantId, str], float] = {}

    def note(self, tenant: TenantId, resolution: Resolution, on: date, at: float) -> None:
        """Log the deprecated models behind a name, unless that was done within the hour; `at` in seconds."""
        key = (tenant, resolution.asked)
        if at < self._due.get(key, float("-inf")):
            return
        if len(self._due) >= _MOST_NOTED:
            self._due.clear()
        self._due[key] = at + _EVERY_SECONDS
        for model, retires_on, replacement in _deprecated(resolution, on):
            log.warning(
                "model_deprecated", tenant=str(tenant), model=model, retires_on=retires_on, replacement=replacement
            )


def _deprecated(resolution: Resolution, on: date) -> dict[tuple[str, str | None, str | None], None]:
    """Name, last day and successor of each, once."""
    found: dict[tuple[str, str | None, str | None], None] = {}
    for each in resolution.deployments:
        serving = each.model.servings.get(each.endpoint.provider)
        if serving is not None and serving.lifecycle(on) is Lifecycle.DEPRECATED:
            ends = serving.retires_on.isoformat() if serving.retires_on else None
            found[each.model.name, ends, serving.replacement] = None
    return found

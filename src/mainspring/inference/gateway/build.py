"""The gateway put together from its settings: which vendors exist, and how they are reached."""

from datetime import timedelta
from urllib.parse import urlsplit

from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput

from .catalog import LOCAL_CHAT, Catalog, Vendor
from .ports import AiSwitch
from .providers import anthropic, openai
from .providers.anthropic.provider import VERSION, AnthropicProvider
from .providers.http import ProviderClient
from .providers.openai.provider import OpenAiProvider
from .recorder import Recorder
from .service import Gateway
from .types import GatewaySettings

_OPENAI_URL = "https://api.openai.com/v1"
_ANTHROPIC_URL = "https://api.anthropic.com/v1"


async def build_gateway(settings: GatewaySettings, database: Database, *, ai_switch: AiSwitch) -> Gateway:
    """A gateway with the configured vendors, started: it ships records until it is closed.

    raises   InvalidInput when the capable model needs a key or URL that is not set
    """
    vendors = _vendors(settings)
    capable = settings.capable_model
    if capable and capable.partition("/")[0] not in vendors:
        configured = ", ".join(sorted(vendors)) or "none"
        raise InvalidInput(
            f"The model {capable!r} has no configured provider (configured: {configured}). "
            "Name it <provider>/<model> and set that provider's key or base URL."
        )
    recorder = Recorder.open_in(settings.data_dir, database)
    gateway = Gateway(settings, Catalog(vendors, capable or LOCAL_CHAT), recorder, database, ai_switch)
    gateway.start()
    return gateway


def _vendors(settings: GatewaySettings) -> dict[str, Vendor]:
    vendors: dict[str, Vendor] = {}
    if settings.models_url:
        client = _openai_client(settings.models_url, None, settings.idle_timeout)
        vendors["local"] = Vendor(OpenAiProvider("local", client, is_local=True), "local")
    if settings.openai_api_key or settings.openai_base_url:
        url = settings.openai_base_url or _OPENAI_URL
        client = _openai_client(url, settings.openai_api_key, settings.idle_timeout)
        vendors["openai"] = Vendor(OpenAiProvider("openai", client), _profiles_at(url))
    if settings.anthropic_api_key:
        headers = {"x-api-key": settings.anthropic_api_key, "anthropic-version": VERSION}
        url, failures = settings.anthropic_base_url or _ANTHROPIC_URL, anthropic.failure_of
        client = ProviderClient(url, headers, failures, idle_timeout=settings.idle_timeout)
        vendors["anthropic"] = Vendor(AnthropicProvider("anthropic", client), "anthropic")
    return vendors


def _openai_client(url: str, key: str | None, idle_timeout: timedelta) -> ProviderClient:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return ProviderClient(url, headers, openai.failure_of, idle_timeout=idle_timeout)


def _profiles_at(url: str) -> str:
    """OpenAI's own models behind its own address; anyone else's behind another."""
    host = urlsplit(url).hostname or ""
    return "openai" if host == "openai.com" or host.endswith(".openai.com") else "compatible"

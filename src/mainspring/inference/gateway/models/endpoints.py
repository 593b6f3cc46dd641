"""Endpoints from what the platform was told in its settings: one for each provider that has a key or an address.

A settings key says nothing about where a provider stores and computes, so such endpoints have no
regions and meet no residency, but for the platform's own models and for Bedrock, whose address is
a region. Endpoints with regions are declared in the operator's file.

A tenant's own key is the vendor's secret with that tenant: where a setting puts another server in the
vendor's place it is not sent. An operator who means it declares the server in the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from .types import Endpoint, Regions


@dataclass(frozen=True, slots=True)
class Vendor:
    """What is known of a provider by its name: how to speak to it, where, its line of facts, its prices."""

    dialect: str = "openai"
    base_url: str | None = None
    profiles: str = "compatible"
    prices: str | None = None


VENDORS: Mapping[str, Vendor] = {
    "openai": Vendor("openai", "https://api.openai.com/v1", "openai", "openai"),
    "anthropic": Vendor("anthropic", "https://api.anthropic.com/v1", "anthropic", "anthropic"),
    "gemini": Vendor("gemini", "https://generativelanguage.googleapis.com/v1beta", "gemini", "google"),
    "azure": Vendor("azure", None, "openai", "azure"),
    "bedrock": Vendor("bedrock", None, "bedrock", "aws"),
    "mistral": Vendor(base_url="https://api.mistral.ai/v1", prices="mistral"),
    "groq": Vendor(base_url="https://api.groq.com/openai/v1", prices="groq"),
    "together": Vendor(base_url="https://api.together.xyz/v1", prices="together"),
    "deepseek": Vendor(base_url="https://api.deepseek.com/v1", prices="deepseek"),
    "fireworks": Vendor(base_url="https://api.fireworks.ai/inference/v1", prices="fireworks"),
    "cerebras": Vendor(base_url="https://api.cerebras.ai/v1", prices="cerebras"),
    "xai": Vendor(base_url="https://api.x.ai/v1", prices="x-ai"),
    "perplexity": Vendor(base_url="https://api.perplexity.ai", prices="perplexity"),
    "local": Vendor(profiles="local"),
}
"""Any other name is a server that speaks the OpenAI dialect, and needs an address."""


@dataclass(frozen=True, slots=True)
class Access:
    """What the platform was told about providers; wiring fills it in.

    region           where the platform itself runs, such as `eu-central-1`; local models are served there
    models_url       base URL of the platform's own models' server
    bedrock_region   AWS region of Bedrock, whose calls are signed with the credentials of the process
    chat_model       name of the model for calls that name none
    secrets          environment variables, for the `api_key_env` of an operator's file
    """

    region: str | None = None
    models_url: str | None = None
    openai_api_key: str | None = field(default=None, repr=False)
    openai_base_url: str | None = None
    anthropic_api_key: str | None = field(default=None, repr=False)
    anthropic_base_url: str | None = None
    gemini_api_key: str | None = field(default=None, repr=False)
    gemini_base_url: str | None = None
    azure_api_key: str | None = field(default=None, repr=False)
    azure_base_url: str | None = None
    bedrock_region: str | None = None
    bedrock_api_key: str | None = field(default=None, repr=False)
    chat_model: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


def endpoints_of(access: Access) -> tuple[Endpoint, ...]:
    """The endpoints that the settings call for, each named after its provider."""
    made = (_local(access), _openai(access), _anthropic(access), _gemini(access), _azure(access), _bedrock(access))
    return tuple(endpoint for endpoint in made if endpoint is not None)


def _local(access: Access) -> Endpoint | None:
    if not access.models_url:
        return None
    regions = Regions.all_in(access.region)
    return Endpoint("local", "local", "openai", access.models_url, regions, None, "local", is_local=True)


def _openai(access: Access) -> Endpoint | None:
    if not access.openai_api_key and not access.openai_base_url:
        return None
    vendor = VENDORS["openai"]
    url = access.openai_base_url or vendor.base_url or ""
    if not _is_openai(url):  # another server behind OpenAI's setting: neither its facts nor its prices are OpenAI's
        vendor = Vendor()
    made = Endpoint("openai", "openai", "openai", url, Regions(), access.openai_api_key, vendor.profiles, vendor.prices)
    return _guarded(made)


def _is_openai(url: str) -> bool:
    return _is_at(url, _HOSTS["openai"])


_HOSTS: Mapping[str, tuple[str, ...]] = {
    "openai": ("openai.com",),
    "anthropic": ("anthropic.com",),
    "gemini": ("googleapis.com",),
    "azure": ("azure.com", "azure.us", "azure.cn", "azure-api.net"),
    "bedrock": ("amazonaws.com", "amazonaws.com.cn"),
}
"""The domains of vendors whose address a setting may replace."""


def _is_at(url: str, domains: tuple[str, ...]) -> bool:
    host = urlsplit(url).hostname or ""
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _guarded(endpoint: Endpoint) -> Endpoint:
    """It, closed to tenants' own keys where the server is not the vendor's."""
    return replace(endpoint, takes_own_keys=_is_at(endpoint.base_url, _HOSTS[endpoint.provider]))


def _anthropic(access: Access) -> Endpoint | None:
    return _keyed("anthropic", access.anthropic_api_key, access.anthropic_base_url)


def _gemini(access: Access) -> Endpoint | None:
    return _keyed("gemini", access.gemini_api_key, access.gemini_base_url)


def _keyed(provider: str, key: str | None, url: str | None) -> Endpoint | None:
    if not key:
        return None
    vendor = VENDORS[provider]
    address = url or vendor.base_url or ""
    made = Endpoint(provider, provider, vendor.dialect, address, Regions(), key, vendor.profiles, vendor.prices)
    return _guarded(made)


def _azure(access: Access) -> Endpoint | None:
    if not access.azure_api_key or not access.azure_base_url:
        return None
    vendor = VENDORS["azure"]
    key = access.azure_api_key
    made = Endpoint(
        "azure", "azure", vendor.dialect, access.azure_base_url, Regions(), key, vendor.profiles, vendor.prices
    )
    return _guarded(made)


def _bedrock(access: Access) -> Endpoint | None:
    if not access.bedrock_region:
        return None
    vendor, region = VENDORS["bedrock"], access.bedrock_region
    url = f"https://bedrock-runtime.{region}.amazonaws.com"
    regions = Regions.all_in(region)
    return Endpoint(
        "bedrock", "bedrock", vendor.dialect, url, regions, access.bedrock_api_key, vendor.profiles, vendor.prices
    )

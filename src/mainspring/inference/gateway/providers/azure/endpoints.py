"""Where Azure OpenAI is asked, with which header, and where an answer came from."""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote


def base_url(resource: str, api_version: str | None = None) -> str:
    """The address of a resource: of its v1 API, or without `/openai/v1` for a dated version."""
    host = f"https://{resource}.openai.azure.com"
    return host if api_version else f"{host}/openai/v1"


@lru_cache(maxsize=1024)
def azure_path(deployment: str, operation: str = "chat/completions", *, api_version: str | None = None) -> str:
    """The path of a call, after the base URL.

    operation     `chat/completions`, `embeddings`, `responses`
    api_version   a date such as `2024-10-21`; None is the v1 API, where the body names the deployment
    """
    if api_version is None:
        return f"/{operation}"
    return f"/openai/deployments/{quote(deployment, safe='')}/{operation}?api-version={quote(api_version, safe='')}"


def key_header(key: str) -> dict[str, str]:
    """The header that carries a resource's key; tokens of Entra ID go as `authorization: Bearer` instead."""
    return {"api-key": key}


def served_region(headers: Mapping[str, str]) -> str | None:
    """The region that answered, such as `swedencentral`; None when the answer does not say."""
    return headers.get("x-ms-region", "").replace(" ", "").lower() or None

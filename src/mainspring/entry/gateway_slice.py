"""The gateway's slice of the settings, for every process that calls models.

Apart from `wiring`, so that the gateway process need not import the whole platform.
"""

from mainspring.foundation.settings import Settings
from mainspring.foundation.vault import LocalKeyWrapper, open_local_wrapper
from mainspring.inference.gateway import GatewaySettings


def gateway_settings(settings: Settings, valkey_url: str) -> GatewaySettings:
    """The gateway's slice of the settings."""

    def secret(name: str) -> str | None:
        value = getattr(settings, name)
        return value.get_secret_value() if value else None

    return GatewaySettings(
        data_dir=settings.data_dir,
        models_url=settings.models_url,
        openai_api_key=secret("openai_api_key"),
        openai_base_url=settings.openai_base_url,
        anthropic_api_key=secret("anthropic_api_key"),
        gemini_api_key=secret("gemini_api_key"),
        azure_api_key=secret("azure_api_key"),
        azure_base_url=settings.azure_base_url,
        bedrock_region=settings.bedrock_region,
        bedrock_api_key=secret("bedrock_api_key"),
        gateway_file=settings.gateway_file,
        region=settings.region,
        valkey_url=valkey_url,
        capable_model=settings.model,
    )


def open_vault_wrapper(settings: Settings) -> LocalKeyWrapper:
    """What wraps the tenants' data keys."""
    master = settings.master_key.get_secret_value() if settings.master_key else None
    return open_local_wrapper(settings.data_dir, master)

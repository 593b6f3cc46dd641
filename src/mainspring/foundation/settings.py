"""Settings: environment first, then a file, then defaults; `describe` tells which won.

The file is `mainspring.toml` in the working directory, or what MAINSPRING_CONFIG names. No module
reads the environment but this one. Unset engine URLs mean the embedded engines.
"""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from mainspring.foundation.errors import InvalidInput


class Settings(BaseSettings):
    """Everything that can be configured. Each field is MAINSPRING_<NAME> in the environment."""

    model_config = SettingsConfigDict(
        env_prefix="MAINSPRING_", extra="forbid", frozen=True, populate_by_name=True, env_ignore_empty=True
    )

    data_dir: Annotated[Path, Field(description="where the embedded engines and local objects live")] = Path(
        ".mainspring"
    )
    database_url: Annotated[
        SecretStr | None, Field(description="PostgreSQL 17+ with pgvector, as the application's login")
    ] = None
    database_admin_url: Annotated[
        SecretStr | None, Field(description="login that owns the schema, for migrations; default: database_url")
    ] = None
    valkey_url: Annotated[SecretStr | None, Field(description="Valkey 8+ or Redis 7+")] = None
    object_store_url: Annotated[
        str | None, Field(description="s3://, gs://, az:// or file://; default: a folder in data_dir")
    ] = None
    models_url: Annotated[
        str | None, Field(description="OpenAI-compatible server for the local models; default: a child process")
    ] = None
    host: Annotated[str, Field(description="address the API listens on")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="port of API and console; the next free one if taken")] = (
        8710
    )
    gateway_port: Annotated[
        int, Field(ge=0, le=65535, description="port of the model gateway; the next free one if taken")
    ] = 8711
    gateway_workers: Annotated[int, Field(ge=1, le=64, description="gateway processes that share the port")] = 1
    gateway_file: Annotated[
        Path | None, Field(description="endpoints, models and aliases of the operator (TOML); see choose-models")
    ] = None
    gateway_tls_certificate: Annotated[
        Path | None, Field(description="PEM file; with gateway_tls_key the gateway speaks TLS to its callers")
    ] = None
    gateway_tls_key: Annotated[Path | None, Field(description="PEM file of the certificate's private key")] = None
    gateway_max_body_megabytes: Annotated[int, Field(ge=1, le=512, description="larger calls are refused")] = 32
    region: Annotated[
        str | None, Field(description="where this platform runs, e.g. eu-central-1; the local models' residency")
    ] = None
    master_key: Annotated[
        SecretStr | None,
        Field(description="32 bytes in base64 that wrap every tenant's data key; default: a file in data_dir"),
    ] = None
    log_level: Annotated[str, Field(pattern="(?i)^(debug|info|warning|error)$")] = "info"
    database_connections: Annotated[int, Field(ge=2, le=200, description="connections per process")] = 10
    max_upload_megabytes: Annotated[int, Field(ge=1, le=1000)] = 50
    max_document_pages: Annotated[int, Field(ge=1, le=100_000, description="longer documents are refused")] = 1000
    parse_timeout_seconds: Annotated[
        float, Field(gt=0, le=3600, description="a document that takes longer to read is given up")
    ] = 60.0
    recognise_scans: Annotated[
        bool, Field(description="read scanned pages with tesseract; needs mainspring[ocr] and that program")
    ] = False
    knowledge_databases: Annotated[
        SecretStr | None,
        Field(description="name=url of databases that tenants' knowledge may have for its own, blank-separated"),
    ] = None
    knowledge_admin_databases: Annotated[
        SecretStr | None,
        Field(description="the same names with logins that own the schema, to move tenants there; default: the same"),
    ] = None
    knowledge_hosts: Annotated[
        str | None,
        Field(description="comma-separated hosts inside your network (host or host:port) that web sources may read"),
    ] = None
    knowledge_buckets: Annotated[
        str | None,
        Field(description="comma-separated buckets that sources may read, such as s3://documents/{tenant}/"),
    ] = None
    delivery_hosts: Annotated[
        str | None, Field(description="comma-separated hosts inside your network that webhooks and bridges may lead to")
    ] = None
    delivery_source: Annotated[str, Field(description="source of the CloudEvents that go out: a URI of yours")] = (
        "urn:mainspring"
    )
    mcp_hosts: Annotated[
        str | None, Field(description="comma-separated hosts inside your network at which MCP servers may be")
    ] = None
    mcp_file: Annotated[
        Path | None, Field(description="MCP servers that run here as programs (TOML); see connect-mcp")
    ] = None
    mcp_public_hosts: Annotated[
        str | None, Field(description="comma-separated names this server is reached by, for /mcp; loopback always is")
    ] = None
    mcp_origins: Annotated[
        str | None, Field(description="comma-separated origins of pages elsewhere that may call /mcp from a browser")
    ] = None
    worker_concurrency: Annotated[int, Field(ge=1, le=1000, description="steps at once in one worker process")] = 16
    worker_steps: Annotated[
        str | None, Field(description="comma-separated step names this worker claims; default: all")
    ] = None
    backlog_limit: Annotated[
        int, Field(ge=1_000, description="a tenant with so many queued steps gets 429 for new runs")
    ] = 200_000
    lease_seconds: Annotated[
        float, Field(gt=0.2, le=600, description="after this long without renewal a step is free")
    ] = 15.0
    payload_days: Annotated[
        int, Field(ge=1, le=3650, description="inputs and outputs of model calls are kept so long")
    ] = 30
    run_days: Annotated[
        int, Field(ge=1, le=3650, description="runs that ended are kept so long, with their stories and outputs")
    ] = 90
    metrics_token: Annotated[
        SecretStr | None, Field(description="bearer that /metrics asks for; without one only this machine is answered")
    ] = None
    clock_shift_seconds: Annotated[
        float, Field(ge=0, description="for rehearsals only: waits, expiries and schedules see a time so far ahead")
    ] = 0.0
    session_hours: Annotated[int, Field(ge=1, le=720)] = 12
    secure_cookies: Annotated[bool, Field(description="send the session cookie over https only")] = False
    trusted_proxies: Annotated[
        str | None,
        Field(
            description="comma-separated addresses of reverse proxies whose X-Forwarded-For and -Proto are believed; "
            "default: nobody's"
        ),
    ] = None
    ready_file: Annotated[Path | None, Field(description="a worker touches it when it is ready, for supervisors")] = (
        None
    )
    url: Annotated[str | None, Field(description="where the CLI finds the API; default: the one in data_dir")] = None
    api_key: Annotated[SecretStr | None, Field(description="key that the CLI uses; default: the demo's")] = None
    openai_api_key: Annotated[
        SecretStr | None, Field(validation_alias=AliasChoices("MAINSPRING_OPENAI_API_KEY", "OPENAI_API_KEY"))
    ] = None
    openai_base_url: Annotated[
        str | None,
        Field(
            validation_alias=AliasChoices("MAINSPRING_OPENAI_BASE_URL", "OPENAI_BASE_URL"),
            description="any OpenAI-compatible server",
        ),
    ] = None
    anthropic_api_key: Annotated[
        SecretStr | None, Field(validation_alias=AliasChoices("MAINSPRING_ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY"))
    ] = None
    gemini_api_key: Annotated[
        SecretStr | None, Field(validation_alias=AliasChoices("MAINSPRING_GEMINI_API_KEY", "GEMINI_API_KEY"))
    ] = None
    azure_api_key: Annotated[
        SecretStr | None, Field(validation_alias=AliasChoices("MAINSPRING_AZURE_API_KEY", "AZURE_OPENAI_API_KEY"))
    ] = None
    azure_base_url: Annotated[
        str | None, Field(description="https://<resource>.openai.azure.com/openai/v1 of Azure OpenAI")
    ] = None
    bedrock_region: Annotated[
        str | None, Field(description="AWS region of Bedrock; calls are signed with the process's AWS credentials")
    ] = None
    bedrock_api_key: Annotated[
        SecretStr | None,
        Field(validation_alias=AliasChoices("MAINSPRING_BEDROCK_API_KEY", "AWS_BEARER_TOKEN_BEDROCK")),
    ] = None
    model: Annotated[
        str | None, Field(description="capable model for analysis, e.g. openai/gpt-5-mini; default: none, methods only")
    ] = None
    local_model_path: Annotated[Path | None, Field(description="a GGUF file to serve instead of the bundled one")] = (
        None
    )
    local_model_threads: Annotated[int, Field(ge=1, le=64)] = 2

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=config_path())

    @staticmethod
    def listed(text: str | None) -> list[str]:
        """The parts of a comma-separated setting."""
        return [each for part in (text or "").split(",") if (each := part.strip())]

    @property
    def max_upload_bytes(self) -> int:
        """The largest file that is taken in."""
        return self.max_upload_megabytes * 1_000_000

    @property
    def objects_url(self) -> str:
        """The object store in use."""
        return self.object_store_url or f"file://{(self.data_dir / 'objects').resolve()}"


@dataclass(frozen=True, slots=True)
class SettingFact:
    """One line of `mainspring doctor`: a secret's value is shown as dots."""

    name: str
    value: str
    source: str
    description: str


def config_path() -> Path:
    """The settings file that would be read."""
    return Path(os.environ.get("MAINSPRING_CONFIG", "mainspring.toml"))


def load_settings(**overrides: object) -> Settings:
    """Read and validate all settings; InvalidInput names each bad one, its value's problem and where to set it."""
    if os.environ.get("MAINSPRING_CONFIG") and not config_path().is_file():
        raise InvalidInput(f"MAINSPRING_CONFIG names {config_path()}, which is not there: mend the path or unset it.")
    try:
        return Settings(**overrides)  # pyright: ignore[reportArgumentType] - keywords are validated by pydantic
    except tomllib.TOMLDecodeError as bad:
        raise InvalidInput(f"{config_path()} is not TOML: {bad}. Mend that line.") from None
    except ValidationError as invalid:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in invalid.errors(include_input=False))
        raise InvalidInput(
            f"Settings are not usable: {problems}. "
            f"Each is MAINSPRING_<NAME> in the environment or <name> in {config_path()}."
        ) from None


def describe(settings: Settings) -> list[SettingFact]:
    """Every setting with its value and where it came from."""
    in_file = TomlConfigSettingsSource(Settings, toml_file=config_path())()
    facts: list[SettingFact] = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        variables = [f"MAINSPRING_{name.upper()}"]
        if isinstance(field.validation_alias, AliasChoices):
            variables = [str(choice) for choice in field.validation_alias.choices]
        source = next((f"env {variable}" for variable in variables if os.environ.get(variable)), None)
        source = source or (str(config_path()) if name in in_file else "default")
        shown = "********" if isinstance(value, SecretStr) else "" if value is None else str(value)
        facts.append(SettingFact(name, shown, source, field.description or ""))
    return facts

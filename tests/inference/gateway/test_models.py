"""The catalogue: names and versions, lifecycles, endpoints, and an operator's file."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec
import pytest

from mainspring.foundation.errors import InvalidInput
from mainspring.inference.gateway.errors import UnknownModel
from mainspring.inference.gateway.models import (
    LOCAL_CHAT,
    LOCAL_EMBEDDING,
    Access,
    Catalogue,
    Lifecycle,
    RetiredModel,
    UnpinnedModel,
    load_catalogue,
)
from mainspring.inference.gateway.policy import DEFAULT_POLICY, Price, RoutingPolicy, TenantPolicy

ON = date(2026, 11, 22)
PINNED = TenantPolicy(require_pinned=True)
ACCESS = Access(
    region="europe-west4",
    models_url="http://127.0.0.1:1/v1",
    openai_api_key="sk-1",
    anthropic_api_key="sk-2",
    bedrock_region="eu-central-1",
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(ACCESS)


def deployments(catalogue: Catalogue, name: str | None, policy: TenantPolicy = DEFAULT_POLICY) -> list[str]:
    return [each.name for each in catalogue.resolve(name, policy, ON).deployments]


def own_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "models.toml"
    path.write_text(text, encoding="utf-8")
    return path


# --- names ---


def test_an_alias_leads_to_the_pinned_snapshot(catalogue: Catalogue) -> None:
    assert deployments(catalogue, "gpt-5-mini") == ["openai/gpt-5-mini-2025-08-07"]
    assert deployments(catalogue, "openai/gpt-5-mini") == ["openai/gpt-5-mini-2025-08-07"]
    assert deployments(catalogue, "openai/gpt-5-mini-2025-08-07") == ["openai/gpt-5-mini-2025-08-07"]


def test_a_bare_name_may_go_wherever_the_model_is_served_its_home_first(catalogue: Catalogue) -> None:
    assert deployments(catalogue, "claude-sonnet-5-5") == [
        "anthropic/claude-sonnet-5-5",
        "bedrock/eu.anthropic.claude-sonnet-5-5",
    ]


def test_a_provider_in_front_of_a_name_keeps_the_call_there(catalogue: Catalogue) -> None:
    only_bedrock = ["bedrock/eu.anthropic.claude-sonnet-5-5"]
    assert deployments(catalogue, "anthropic/claude-sonnet-5-5") == ["anthropic/claude-sonnet-5-5"]
    assert deployments(catalogue, "bedrock/claude-sonnet-5-5") == only_bedrock
    assert deployments(catalogue, "bedrock/anthropic.claude-sonnet-5-5") == only_bedrock


def test_local_models_are_called_as_ever_and_are_the_default(catalogue: Catalogue) -> None:
    assert deployments(catalogue, None) == [LOCAL_CHAT]
    assert deployments(catalogue, LOCAL_EMBEDDING) == [LOCAL_EMBEDDING]
    capable = load_catalogue(replace(ACCESS, chat_model="openai/gpt-6-luna"))
    assert deployments(capable, None) == ["openai/gpt-6-luna"]


def test_a_new_model_of_a_configured_provider_is_passed_on(catalogue: Catalogue) -> None:
    resolution = catalogue.resolve("openai/new-thing", DEFAULT_POLICY, ON)
    (deployment,) = resolution.deployments
    assert deployment.wire_model == "new-thing"
    assert deployment.price is None
    assert not deployment.model.is_listed


@pytest.mark.parametrize("name", ["new-thing", "mistral/large", "openai/", "/gpt-5", "gpt-5.4-minni", "auto/best"])
def test_a_name_that_means_nothing_is_refused(catalogue: Catalogue, name: str) -> None:
    with pytest.raises(UnknownModel):
        catalogue.resolve(name, DEFAULT_POLICY, ON)


def test_a_refused_name_comes_with_what_may_have_been_meant(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownModel, match=r"configured are: anthropic/\.\.\.,.*Did you mean gpt-5\.4-mini"):
        catalogue.resolve("gpt-5.4-minni", DEFAULT_POLICY, ON)


def test_a_model_without_an_endpoint_names_the_providers_that_serve_it() -> None:
    catalogue = load_catalogue(Access(openai_api_key="sk-1"))
    with pytest.raises(UnknownModel, match="served by anthropic, bedrock, and no endpoint"):
        catalogue.resolve("claude-opus-5-5", DEFAULT_POLICY, ON)


def test_auto_is_every_active_chat_model_and_carries_the_class_to_be_met(catalogue: Catalogue) -> None:
    resolution = catalogue.resolve("auto", TenantPolicy(routing=RoutingPolicy(quality="premium")), ON)
    names = [each.name for each in resolution.deployments]
    assert resolution.floor == "premium"
    assert LOCAL_CHAT in names
    assert "openai/gpt-6.1-sol" in names
    assert LOCAL_EMBEDDING not in names
    assert "openai/gpt-5-mini-2025-08-07" not in names, "a model at its end is not chosen for anyone"
    assert catalogue.resolve("auto/economy", DEFAULT_POLICY, ON).floor == "economy"
    assert catalogue.resolve("auto", DEFAULT_POLICY, ON).floor == "standard", "another tenant's class is not remembered"


# --- pinning and lifecycle ---


@pytest.mark.parametrize(
    "name",
    ["openai/gpt-5.4-2026-03-05", "claude-sonnet-5-5", "claude-opus-4-6", "openai/new-2026-10-01", LOCAL_CHAT],
)
def test_the_name_of_a_fixed_version_is_accepted_where_pinning_is_demanded(catalogue: Catalogue, name: str) -> None:
    assert deployments(catalogue, name, PINNED)


@pytest.mark.parametrize(
    ("name", "choice"),
    [
        ("gpt-5.4-mini", "openai/gpt-5.4-mini-2026-03-17"),
        ("claude-haiku-4-5", "anthropic/claude-haiku-4-5-20251001"),
        ("openai/gpt-6.1-sol", "openai/gpt-5.4-2026-03-05"),
        ("openai/new-thing", "openai/gpt-5.4-2026-03-05"),
        ("auto", "anthropic/claude-opus-5-5"),
    ],
)
def test_an_unpinned_name_is_refused_with_the_pinned_choices(catalogue: Catalogue, name: str, choice: str) -> None:
    with pytest.raises(UnpinnedModel) as caught:
        catalogue.resolve(name, PINNED, ON)
    assert caught.value.status == 422
    if name == "auto":
        assert "such as" in caught.value.detail
    else:
        assert choice in caught.value.detail


def test_a_deployment_name_that_fixes_no_version_is_left_out_where_pinning_is_demanded(tmp_path: Path) -> None:
    azure = replace(ACCESS, azure_api_key="key", azure_base_url="https://ours.openai.azure.com/openai/v1")
    name = "gpt-4o-mini-2024-07-18"
    assert deployments(load_catalogue(azure), name) == ["openai/gpt-4o-mini-2024-07-18", "azure/gpt-4o-mini"]
    assert deployments(load_catalogue(azure), name, PINNED) == ["openai/gpt-4o-mini-2024-07-18"]
    path = own_file(
        tmp_path,
        """
        [[endpoints]]
        name = "azure"
        provider = "azure"
        url = "https://ours.openai.azure.com/openai/v1"
        models = { "openai/gpt-4o-mini-2024-07-18" = "mini-july" }
        """,
    )
    assert deployments(load_catalogue(ACCESS, path), name, PINNED) == [f"openai/{name}", "azure/mini-july"]


def test_a_deprecated_model_answers_with_a_warning_that_names_date_and_replacement(catalogue: Catalogue) -> None:
    (warning,) = catalogue.resolve("gpt-5-mini", DEFAULT_POLICY, ON).warnings
    assert warning == (
        "openai/gpt-5-mini-2025-08-07 is deprecated at openai and retires on 2026-12-11; "
        "use openai/gpt-6.1-terra instead."
    )
    assert catalogue.resolve("gpt-5-mini", DEFAULT_POLICY, date(2026, 6, 10)).warnings == ()
    assert catalogue.resolve("claude-opus-5-5", DEFAULT_POLICY, ON).warnings == ()


def test_a_retired_model_is_refused_with_its_replacement_from_the_day_on(catalogue: Catalogue) -> None:
    assert catalogue.resolve("gpt-5-mini", DEFAULT_POLICY, date(2026, 12, 10)).deployments
    with pytest.raises(
        RetiredModel, match=r"retired openai/gpt-5-mini-2025-08-07 on 2026-12-11.*gpt-6\.1-terra"
    ) as caught:
        catalogue.resolve("gpt-5-mini", DEFAULT_POLICY, date(2026, 12, 11))
    assert caught.value.status == 422


def test_a_model_that_its_home_retired_is_still_served_by_another(catalogue: Catalogue) -> None:
    later = date(2026, 12, 24)
    resolution = catalogue.resolve("claude-sonnet-4-5", DEFAULT_POLICY, later)
    assert [each.endpoint.name for each in resolution.deployments] == ["bedrock"]
    with pytest.raises(RetiredModel, match="claude-sonnet-5-5"):
        catalogue.resolve("anthropic/claude-sonnet-4-5", DEFAULT_POLICY, later)


def test_the_list_of_models_has_what_the_tenant_may_call_and_its_lifecycle(catalogue: Catalogue) -> None:
    listed = {each.name: each for each in catalogue.list_models(DEFAULT_POLICY, ON)}
    mini = listed["openai/gpt-5-mini-2025-08-07"]
    assert (mini.lifecycle, mini.retires_on, mini.replacement) == (
        Lifecycle.DEPRECATED,
        date(2026, 12, 11),
        "openai/gpt-6.1-terra",
    )
    assert mini.aliases == ("gpt-5-mini",)
    assert listed["anthropic/claude-sonnet-5-5"].providers == ("anthropic", "bedrock")
    assert "anthropic/claude-opus-4-1-20250805" not in listed
    only = {each.name for each in catalogue.list_models(TenantPolicy(allow=("anthropic/*-5-5",)), ON)}
    assert only == {f"anthropic/claude-{size}-5-5" for size in ("opus", "sonnet", "haiku")}
    in_europe = {
        provider for each in catalogue.list_models(TenantPolicy(residency="eu"), ON) for provider in each.providers
    }
    assert in_europe == {"local", "bedrock"}
    assert all(each.is_pinned for each in catalogue.list_models(PINNED, ON))


def test_every_replacement_in_the_shipped_file_is_a_model_that_is_not_itself_retired(catalogue: Catalogue) -> None:
    models = catalogue.names.models
    for model in models.values():
        for serving in model.servings.values():
            if serving.replacement is not None:
                successor = models[serving.replacement]
                assert successor.servings[successor.provider].lifecycle(ON) is not Lifecycle.RETIRED, model.name


# --- prices and places ---


def test_a_tenants_own_price_replaces_the_list_price(catalogue: Catalogue) -> None:
    policy = TenantPolicy(prices={"openai/gpt-5.4-mini-2026-03-17": Price(input_micros=1, output_micros=2)})
    (deployment,) = catalogue.resolve("gpt-5.4-mini", policy, ON).deployments
    assert deployment.price is not None
    assert deployment.price.version == "tenant"
    (listed,) = catalogue.resolve("gpt-5.4-mini", DEFAULT_POLICY, ON).deployments
    assert listed.price is not None
    assert listed.price.version.startswith("genai-prices ")


def test_another_server_behind_openais_setting_has_neither_its_prices_nor_its_facts() -> None:
    catalogue = load_catalogue(Access(openai_base_url="http://gpu.internal:8000/v1"))
    (deployment,) = catalogue.resolve("openai/qwen3", DEFAULT_POLICY, ON).deployments
    assert deployment.price is None
    assert deployment.endpoint.profiles == "compatible"
    assert deployment.profile.max_tokens_field == "max_tokens"


def test_where_a_deployment_lies_is_known_only_where_it_was_said(catalogue: Catalogue) -> None:
    home, bedrock = catalogue.resolve("claude-sonnet-5-5", DEFAULT_POLICY, ON).deployments
    assert home.places == frozenset()
    assert bedrock.places == {"eu", "eea", "europe"}
    (local,) = catalogue.resolve(None, DEFAULT_POLICY, ON).deployments
    assert {"europe-west4", "nl", "eu"} <= local.places


@pytest.mark.parametrize(
    ("region", "is_inside"),
    [
        ("eu-west-1", True),
        ("europe-west4", True),
        ("swedencentral", True),
        ("SwedenCentral", True),
        ("de", True),
        ("eu", True),
        ("eu-west-2", False),
        ("europe-west2", False),
        ("europe-west6", False),
        ("eu-central-2", False),
        ("norwayeast", False),
        ("us-east-1", False),
        ("europe", False),
        ("eu-west-99", False),
        ("eu-somewhere", False),
    ],
)
def test_only_what_is_known_to_lie_in_the_union_lies_in_it(region: str, is_inside: bool) -> None:
    catalogue = load_catalogue(replace(ACCESS, region=region))
    (local,) = catalogue.resolve(LOCAL_CHAT, DEFAULT_POLICY, ON).deployments
    assert ("eu" in local.places) is is_inside


def test_a_profile_that_computes_anywhere_lies_nowhere(tmp_path: Path) -> None:
    path = own_file(
        tmp_path,
        """
        [[endpoints]]
        name = "bedrock"
        provider = "bedrock"
        url = "https://bedrock-runtime.eu-central-1.amazonaws.com"
        region = "eu-central-1"
        models = { "anthropic/claude-opus-5-5" = "global.anthropic.claude-opus-5-5" }
        """,
    )
    catalogue = load_catalogue(ACCESS, path)
    (deployment,) = catalogue.resolve("bedrock/claude-opus-5-5", DEFAULT_POLICY, ON).deployments
    assert deployment.wire_model == "global.anthropic.claude-opus-5-5"
    assert deployment.places == frozenset()


# --- an operator's file ---


OPERATOR = """
regions = { cellar = "de" }

[aliases]
drafts = "openai/gpt-5.4-2026-03-05"
gpt-5-mini = "gpt-5.4-mini"
chain = ["drafts", "groq/llama-3.3-70b-versatile"]

[[endpoints]]
name = "openai-eu"
provider = "openai"
url = "https://eu.api.openai.com/v1/"
api_key_env = "OPENAI_EU_KEY"
region = "eu"
weight = 3

[[endpoints]]
name = "vllm"
provider = "ours"
url = "http://10.0.0.7:8000/v1"
region = "cellar"
is_local = true

[[endpoints]]
name = "groq"
provider = "groq"

[[models]]
name = "ours/qwen3-32b-20260401"
aliases = ["qwen"]
quality = "standard"
context_tokens = 32768

[[models]]
name = "openai/gpt-5.4-2026-03-05"
retires_on = 2027-06-01
replacement = "openai/gpt-6.1-sol"
price = { input_micros = 1000000, output_micros = 8000000 }
"""


@pytest.fixture
def operated(tmp_path: Path) -> Catalogue:
    return load_catalogue(replace(ACCESS, secrets={"OPENAI_EU_KEY": "sk-eu"}), own_file(tmp_path, OPERATOR))


def test_an_operator_adds_endpoints_of_one_provider_in_other_regions(operated: Catalogue) -> None:
    home, eu = operated.resolve("openai/gpt-6-luna", DEFAULT_POLICY, ON).deployments
    assert (home.endpoint.name, eu.endpoint.name) == ("openai", "openai-eu")
    assert eu.endpoint.api_key == "sk-eu"
    assert eu.endpoint.base_url == "https://eu.api.openai.com/v1"
    assert (eu.endpoint.profiles, eu.endpoint.prices, eu.endpoint.weight) == ("openai", "openai", 3)
    assert eu.places == {"eu", "eea", "europe"}
    assert "sk-eu" not in repr(eu.endpoint)


def test_an_operator_adds_a_server_of_his_own_with_models_and_region(operated: Catalogue) -> None:
    (deployment,) = operated.resolve("qwen", DEFAULT_POLICY, ON).deployments
    assert deployment.name == "vllm/qwen3-32b-20260401"
    assert {"cellar", "de", "eu"} <= deployment.places
    assert deployment.profile.context_tokens == 32768
    assert deployment.price is not None
    assert deployment.price.version == "local"
    assert deployments(operated, "ours/anything-else") == ["vllm/anything-else"]


def test_a_known_vendor_needs_only_its_name(operated: Catalogue) -> None:
    (deployment,) = operated.resolve("groq/llama-3.3-70b-versatile", DEFAULT_POLICY, ON).deployments
    assert deployment.endpoint.base_url == "https://api.groq.com/openai/v1"
    assert deployment.price is not None


def test_a_swap_is_a_line_of_configuration(operated: Catalogue) -> None:
    assert deployments(operated, "gpt-5-mini")[0] == "openai/gpt-5.4-mini-2026-03-17"
    assert deployments(operated, "drafts")[0] == "openai/gpt-5.4-2026-03-05"


def test_an_alias_of_several_models_keeps_their_order(operated: Catalogue) -> None:
    found = operated.resolve("chain", DEFAULT_POLICY, ON).deployments
    assert [(each.endpoint.name, each.rank) for each in found] == [("openai", 0), ("openai-eu", 0), ("groq", 1)]


def test_what_an_operator_says_of_a_known_model_replaces_only_that(operated: Catalogue) -> None:
    resolution = operated.resolve("gpt-5.4", DEFAULT_POLICY, ON)
    first = resolution.deployments[0]
    assert first.price is not None
    assert first.price.version == "operator"
    assert first.model.quality == "premium", "as shipped"
    assert "2027-06-01" in resolution.warnings[0]


def test_loading_again_makes_another_catalogue_and_leaves_the_first_alone(tmp_path: Path) -> None:
    path = own_file(tmp_path, 'aliases = { best = "openai/gpt-6.1-sol" }')
    first = load_catalogue(ACCESS, path)
    path.write_text('aliases = { best = "openai/gpt-6-astra" }')
    second = load_catalogue(ACCESS, path)
    assert deployments(first, "best") == ["openai/gpt-6.1-sol"]
    assert deployments(second, "best") == ["openai/gpt-6-astra"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("endpoints = 3", "endpoints ('3'): Expected `array`, got `int`"),
        ('[[endpoints]]\nname = "x"', "endpoints[0]: Object missing required field `provider`"),
        (
            '[[endpoints]]\nname = "x"\nprovider = "ours"',
            "endpoints[0].url: it is missing; ours has no well-known address",
        ),
        (
            '[[endpoints]]\nname = "x"\nprovider = "ours"\nurl = "gpu:8000"',
            "endpoints[0].url ('gpu:8000'): Expected `str` matching regex",
        ),
        (
            '[[endpoints]]\nname = "x"\nprovider = "groq"\nweight = -1',
            "endpoints[0].weight ('-1'): Expected `float` >= 0.0",
        ),
        (
            '[[endpoints]]\nname = "x"\nprovider = "groq"\napi_key_env = "NO_SUCH_KEY"',
            "'NO_SUCH_KEY' as the key of endpoint 'x', but that environment variable is not set",
        ),
        ('[[endpoints]]\nname = "x"\nprovider = "groq"\napi_key = "sk"', "unknown field `api_key`"),
        ('[[endpoints]]\nname = "x"\nprovider = "groq"\n' * 2, "endpoints[1].name ('x'): it is given twice"),
        ('[[models]]\nname = "gpt-9"', "models[0].name ('gpt-9'): it must be <provider>/<model>"),
        ('[[models]]\nname = "a/b"\nquality = "best"', "models[0].quality ('best'): Invalid enum value 'best'"),
        ('pinned_names = { a = "(" }', "pinned_names.a ('('): it is no regular expression"),
        ('aliases = { a = "b", b = "a" }', "leads in a circle"),
        ('aliases = { a = "gpt-99" }', "leads to 'gpt-99', which is no model"),
        ("endpoints = [", "cannot be read"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_place_and_value(tmp_path: Path, text: str, message: str) -> None:
    path = own_file(tmp_path, text)
    with pytest.raises(InvalidInput) as caught:
        load_catalogue(ACCESS, path)
    detail = caught.value.detail
    assert message in detail
    if "alias" not in text:
        assert str(path) in detail


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.toml does not exist"):
        load_catalogue(ACCESS, tmp_path / "none.toml")


def test_a_name_asked_for_before_is_the_same_resolution(catalogue: Catalogue) -> None:
    first = catalogue.resolve("gpt-5.4", DEFAULT_POLICY, ON)
    assert catalogue.resolve("gpt-5.4", TenantPolicy(residency="eu"), ON) is first
    assert catalogue.resolve("gpt-5.4", DEFAULT_POLICY, date(2026, 11, 23)) is not first


def test_one_tenants_prices_are_never_anothers(catalogue: Catalogue) -> None:
    def price(micros: int) -> str | None:
        policy = TenantPolicy(prices={"gpt-5.4": Price(input_micros=micros, output_micros=0)} if micros else {})
        (deployment,) = catalogue.resolve("gpt-5.4", policy, ON).deployments
        assert deployment.price is not None
        return f"{deployment.price.version} {deployment.price.tiers[0][1].input}"

    listed = f"{catalogue.builder.book.version} 2500000"
    assert [price(micros) for micros in (1, 2, 0, 3)] == ["tenant 1", "tenant 2", listed, "tenant 3"]


HOWTO = (Path(__file__).parents[3] / "docs" / "howto" / "choose-models.md").read_text(encoding="utf-8")


def test_the_files_of_the_howto_work_as_they_stand(tmp_path: Path) -> None:
    path = own_file(tmp_path, "\n".join(re.findall(r"```toml\n(.*?)```", HOWTO, re.DOTALL)))
    keys = {"OPENAI_EU_KEY": "sk-eu", "AZURE_SWEDEN_KEY": "key", "COHERE_API_KEY": "key"}
    catalogue = load_catalogue(replace(ACCESS, secrets=keys), path)
    assert deployments(catalogue, "azure/gpt-4.1-2025-04-14") == ["azure-sweden/our-gpt-41"]
    assert deployments(catalogue, "gpt-4.1") == ["openai/gpt-6-luna", "openai-eu/gpt-6-luna"]
    assert deployments(catalogue, "qwen") == ["vllm/qwen3-32b-20260401"]
    documents = re.findall(r"```json\n(.*?)```", HOWTO, re.DOTALL)
    assert [bool(msgspec.json.decode(each, type=TenantPolicy)) for each in documents] == [True, True]

"""How each dialect's endpoints are spoken to and what they want to see of a key."""

from collections.abc import Callable, Mapping

from mainspring.foundation.clock import now
from mainspring.foundation.errors import InvalidInput
from mainspring.inference.gateway.models import Endpoint
from mainspring.inference.gateway.policies import ProviderKeyMisplaced
from mainspring.inference.gateway.providers import anthropic, azure, bedrock, gemini, litellm, openai, responses

from .lanes import Access

ANTHROPIC_VERSION = "2023-06-01"


def make_access(endpoint: Endpoint, own_key: str | None) -> Access:
    """The access to an endpoint with the tenant's own key or the endpoint's.

    raises   InvalidInput for an unknown dialect; ProviderKeyMisplaced where the server is not the key's vendor's
    """
    if own_key and not endpoint.takes_own_keys:
        raise ProviderKeyMisplaced(
            f"Your own key for {endpoint.provider} is not used: the operator has another server in its place, and "
            "a key is sent to nobody but its vendor. Delete it, or have the operator declare the server in its file."
        )
    build = _BUILDERS.get(endpoint.dialect)
    if build is None:
        raise InvalidInput(
            f"The endpoint {endpoint.name!r} speaks {endpoint.dialect!r}; known are {', '.join(sorted(_BUILDERS))}."
        )
    return build(endpoint, own_key or endpoint.api_key)


def _bearer(key: str | None) -> Mapping[str, str]:
    return {"authorization": f"Bearer {key}"} if key else {}


def _openai(endpoint: Endpoint, key: str | None) -> Access:
    if endpoint.provider == "azure":
        return _azure(endpoint, key)
    return Access(openai.OUTBOUND, _bearer(key))


def _azure(endpoint: Endpoint, key: str | None) -> Access:
    return Access(azure.OUTBOUND, azure.key_header(key) if key else {})


def _responses(endpoint: Endpoint, key: str | None) -> Access:
    return Access(responses.OUTBOUND, _bearer(key))


def _anthropic(endpoint: Endpoint, key: str | None) -> Access:
    return Access(anthropic.OUTBOUND, {"anthropic-version": ANTHROPIC_VERSION, **({"x-api-key": key} if key else {})})


def _gemini(endpoint: Endpoint, key: str | None) -> Access:
    return Access(gemini.OUTBOUND, {"x-goog-api-key": key} if key else {})


def _bedrock(endpoint: Endpoint, key: str | None) -> Access:
    if key:
        return Access(bedrock.OUTBOUND, _bearer(key))
    signer = bedrock.SigV4Signer(_aws_credentials(), endpoint.regions.processing or "us-east-1")
    return Access(
        bedrock.OUTBOUND,
        {},
        lambda method, url, body: signer.sign(method, url, {"content-type": "application/json"}, body, at=now()),
    )


def _litellm(endpoint: Endpoint, key: str | None) -> Access:
    way = litellm.LiteLlmLane(litellm.load(endpoint.name), endpoint.provider, endpoint.base_url or None, key)
    return Access(way.outbound, way=way)


def _aws_credentials() -> Callable[[], bedrock.AwsCredentials]:
    """Those of the process: environment, profile or machine role, renewed by botocore before they end."""
    try:
        from botocore.session import get_session  # only platforms that use Bedrock pay for this import
    except ImportError:
        raise InvalidInput(
            'Bedrock with AWS credentials needs botocore: pip install "mainspring[bedrock]", or use a Bedrock API key.'
        ) from None

    found = get_session().get_credentials()
    if found is None:
        raise InvalidInput("Bedrock needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role.")

    def current() -> bedrock.AwsCredentials:
        frozen = found.get_frozen_credentials()
        return bedrock.AwsCredentials(frozen.access_key, frozen.secret_key, frozen.token)

    return current


_BUILDERS: Mapping[str, Callable[[Endpoint, str | None], Access]] = {
    "openai": _openai,
    "azure": _azure,
    "responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "bedrock": _bedrock,
    "litellm": _litellm,
}

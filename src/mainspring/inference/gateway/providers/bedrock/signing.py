"""How a call to Bedrock proves who sends it: a signature of the call, or a Bedrock API key.

The signature is botocore's, which nobody needs who has no Bedrock: it is imported when the first
`SigV4Signer` is made (28 to 36 ms and 4 to 7 MB beside the HTTP client, botocore 1.44 on CPython
3.11). One signature of a 2 KB body costs about 41 microseconds, of 64 KB about 71, of 1 MB about 545:
the hash of the body. Credentials are asked for at every call, so temporary ones may change at any time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """An access key; `session_token` comes with temporary ones. Its secrets are not in its repr."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


class RequestSigner(Protocol):
    """Makes the headers that authorize one call."""

    def sign(self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, at: datetime) -> dict[str, str]:
        """The headers to add to a call that is sent exactly as told here, within five minutes of `at`."""
        ...


class SigV4Signer:
    """Signs calls with AWS's Signature Version 4.

    credentials   asked at every call; must answer at once, from memory
    """

    def __init__(self, credentials: Callable[[], AwsCredentials], region: str, service: str = "bedrock") -> None:
        self._credentials = credentials
        self._region = region
        self._service = service
        self._auth, self._request, self._keys = _botocore()

    def sign(self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, at: datetime) -> dict[str, str]:
        """`authorization`, `x-amz-date` and, for temporary credentials, `x-amz-security-token`.

        url       whole, its path percent-encoded as it will be sent
        headers   those to be signed; the host is signed always, from the URL
        """
        mine = self._credentials()
        added = {"x-amz-date": at.astimezone(UTC).strftime(_STAMP)}
        if mine.session_token is not None:
            added["x-amz-security-token"] = mine.session_token
        request = self._request(method, url, headers={**headers, **added}, data=body)
        request.context["timestamp"] = added["x-amz-date"]
        signer = self._auth(
            self._keys(mine.access_key, mine.secret_key, mine.session_token), self._service, self._region
        )
        text = signer.string_to_sign(request, signer.canonical_request(request))
        names = signer.signed_headers(signer.headers_to_sign(request))
        seal = signer.signature(text, request)
        added["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, Signature={seal}"
        )
        return added


class BearerSigner:
    """Authorizes calls with a Bedrock API key; `key` is asked at every call."""

    def __init__(self, key: Callable[[], str]) -> None:
        self._key = key

    def sign(self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, at: datetime) -> dict[str, str]:
        """`authorization`."""
        return {"authorization": f"Bearer {self._key()}"}


@cache
def _botocore() -> tuple[Any, Any, Any]:
    # Imported here, and once, because only platforms that use Bedrock should pay for it.
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import ReadOnlyCredentials

    return SigV4Auth, AWSRequest, ReadOnlyCredentials

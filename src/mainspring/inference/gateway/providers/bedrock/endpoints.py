"""Where Bedrock is asked: hosts, paths and the names that models have there.

A model is asked by its id, by an inference profile (the id behind a geography, `eu.`) or by an ARN;
all of them hold colons and slashes, so the path carries them percent-encoded.
"""

from functools import lru_cache
from urllib.parse import quote

_GEOGRAPHIES = ("us", "us-gov", "eu", "apac", "jp", "au", "ca", "global")


def base_url(region: str) -> str:
    """The address of Bedrock's runtime in a region."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://bedrock-runtime.{region}.{suffix}"


@lru_cache(maxsize=1024)
def path_of(model: str, is_stream: bool) -> str:
    """The path of a call to `model`: an id, an inference profile or an ARN."""
    return f"/model/{quote(model, safe='')}/{'converse-stream' if is_stream else 'converse'}"


@lru_cache(maxsize=1024)
def base_model(model: str) -> str:
    """The model's own id behind an inference profile or an ARN, which is what profiles know it by.

    ARNs that hide the model (application profiles, provisioned and imported models) stay as they are.
    """
    name = model
    if model.startswith("arn:"):
        resource, _, name = model.split(":", 5)[-1].partition("/")
        if resource not in ("foundation-model", "inference-profile"):
            return model
    geography, _, rest = name.partition(".")
    return rest if geography in _GEOGRAPHIES else name

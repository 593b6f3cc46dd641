"""The `litellm` package, loaded when it is needed: it takes seconds to import and some 170 MB of memory.

At import it would read a `.env` file of the working directory and fetch its price list from the
network; both are switched off. Prices are ours.
"""

import os
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Protocol, cast

from mainspring.foundation.errors import InvalidInput

DIALECT = "litellm"


class Library(Protocol):
    """What is used of the package."""

    suppress_debug_info: bool
    telemetry: bool

    @property
    def provider_list(self) -> Iterable[Any]:
        """Every provider it knows, as an enumeration of names."""
        ...

    async def acompletion(self, **arguments: Any) -> Any:
        """A chat completion, or a stream of chunks."""
        ...

    async def aembedding(self, **arguments: Any) -> Any:
        """Vectors."""
        ...

    async def close_litellm_async_clients(self) -> None:
        """Close its connections."""
        ...


def load(endpoint: str) -> Library:
    """The package, for an endpoint; InvalidInput says how to install it where it is absent."""
    variables = os.environ  # house: allow-environ - the package is told in no other way
    variables.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    variables.setdefault("LITELLM_MODE", "PRODUCTION")
    try:
        library = cast(Library, import_module("litellm"))
    except ModuleNotFoundError as missing:
        if missing.name != "litellm":
            raise
        raise InvalidInput(
            f'The endpoint {endpoint!r} has the dialect "litellm", and that package is not installed. '
            'Run: pip install "mainspring[litellm]"; or take the endpoint out of the model file.'
        ) from None
    library.suppress_debug_info = True
    library.telemetry = False
    return library

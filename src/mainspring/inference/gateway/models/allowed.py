"""Which models a tenant's allow list covers.

A pattern (`*` and `?` as in file names) with a slash is about a provider's models: `openai/*` is
OpenAI itself, not the same model at Azure, and `*/gpt-5*` is both. One without a slash is about the
model wherever it is served. An alias of the model counts as its name.
"""

import re
from fnmatch import translate

from .types import Deployment


def names_of(deployment: Deployment) -> tuple[str, ...]:
    """Everything that a pattern may be about, at this deployment."""
    provider, model = deployment.endpoint.provider, deployment.model
    short = model.name.partition("/")[2]
    names = (short, deployment.wire_model, *model.aliases)
    return (*names, *(f"{provider}/{name}" for name in names), f"{deployment.endpoint.name}/{deployment.wire_model}")


def compile_patterns(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for all patterns; it fits whole names."""
    return re.compile("|".join(f"(?:{translate(pattern)})" for pattern in patterns) or r"(?!)")


def is_allowed(patterns: re.Pattern[str], deployment: Deployment) -> bool:
    """Whether any name of the deployment fits."""
    return any(patterns.match(name) is not None for name in names_of(deployment))

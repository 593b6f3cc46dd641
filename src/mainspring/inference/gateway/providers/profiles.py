"""Profiles: facts about models. Code asks the profile what a model can do, never its provider's name.

The table is `profiles.toml`. A vendor that speaks a known dialect is a profile and a URL.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a model; None is unknown.

    json_schema         its provider enforces a JSON schema on the reply
    max_tokens_field    how the OpenAI dialect of this vendor spells the output limit
    accepts_sampling    False for models that refuse temperature and top_p
    accepts_reasoning   earlier reasoning may be sent back in `reasoning_content`
    """

    context_tokens: int | None = None
    max_output_tokens: int | None = None
    json_schema: bool = False
    tools: bool = False
    images: bool = False
    max_tokens_field: str = "max_tokens"
    accepts_sampling: bool = True
    accepts_reasoning: bool = False


def profile_of(vendor: str, model: str) -> Profile:
    """The facts about `model` of `vendor`, by the longest matching beginning of its name."""
    facts = dict(_table()[vendor])
    entries: list[dict[str, Any]] = facts.pop("models", [])
    matching = sorted(
        (entry for entry in entries if model.startswith(entry["match"])), key=lambda entry: len(entry["match"])
    )
    for entry in matching[-1:]:
        facts |= {name: value for name, value in entry.items() if name != "match"}
    return Profile(**facts)


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(files("mainspring.inference.gateway.providers").joinpath("profiles.toml").read_text("utf-8"))

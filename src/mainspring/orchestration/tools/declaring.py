"""`@tool`: an annotated async function becomes a tool; what is wrong with it is said where it is declared."""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from .errors import ToolInvalid
from .signatures import Signature, read_signature
from .types import Effects, Invoke, Json, Rate, Tool, ToolContext

TOOL_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,63}")
SECRET_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_LONGEST = timedelta(minutes=15)
_MOST_RETRIES = 5
_MOST_BYTES = 1_000_000

ToolFunction = Callable[..., Awaitable[Any]]


def tool(  # noqa: PLR0913 - each is one word of a declaration
    *,
    effects: Effects = Effects.NONE,
    name: str | None = None,
    title: str | None = None,
    always_asks: bool = False,
    untrusted_output: bool = False,
    permission: str | None = None,
    flag: str | None = None,
    timeout: timedelta = timedelta(seconds=30),
    retries: int = 0,
    rate: Rate | None = None,
    secrets: tuple[str, ...] = (),
    max_output_bytes: int = 64_000,
) -> Callable[[ToolFunction], Tool]:
    """Declare an annotated async function as a tool. Its docstring is what the model is told.

    effects           a WRITES tool takes a ToolContext and hands on its `idempotency_key`
    name              the function's own where it is None
    always_asks       each call waits for a person's approval; no policy takes that away
    untrusted_output  True where results hold what strangers wrote: web pages, mail, documents
    timeout           of one attempt, at most 15 minutes
    retries           further attempts after a failure that may pass, at most 5
    secrets           names of what `context.secret` may open
    raises            ToolInvalid, at import
    """

    def declare(function: ToolFunction) -> Tool:
        signature = read_signature(function)
        made = Tool(
            name=name or function.__name__,
            title=title or (name or function.__name__).replace("_", " ").capitalize(),
            description=inspect.getdoc(function) or "",
            parameters=signature.schema,
            invoke=_invoke(function, signature),
            effects=effects,
            always_asks=always_asks,
            untrusted_output=untrusted_output,
            permission=permission,
            flag=flag,
            timeout=timeout,
            retries=retries,
            rate=rate,
            secrets=secrets,
            max_output_bytes=max_output_bytes,
        )
        _check(made, function, signature)
        return made

    return declare


def _invoke(function: ToolFunction, signature: Signature) -> Invoke:
    async def invoke(context: ToolContext, arguments: Mapping[str, Json]) -> Json:
        keywords = signature.read(arguments)
        return await (function(context, **keywords) if signature.takes_context else function(**keywords))

    return invoke


def _check(made: Tool, function: ToolFunction, signature: Signature) -> None:
    wrong = {
        "its function is not async": not inspect.iscoroutinefunction(function),
        "it has no docstring, so no model knows what it is for": not made.description.strip(),
        "its name must be 1 to 64 letters, digits, _ and -, the first a letter, without __": not TOOL_NAME.fullmatch(
            made.name
        )
        or "__" in made.name,
        "it changes something but takes no ToolContext: without the idempotency key a repeated call acts twice": (
            made.effects is Effects.WRITES and not signature.takes_context
        ),
        "it names secrets but takes no ToolContext to open them": bool(made.secrets) and not signature.takes_context,
        "a secret's name must be 1 to 64 of a-z, 0-9, _ . and -": not all(map(SECRET_NAME.fullmatch, made.secrets)),
        f"its timeout must be above 0 and at most {_LONGEST}": not timedelta(0) < made.timeout <= _LONGEST,
        f"its retries must be 0 to {_MOST_RETRIES}": not 0 <= made.retries <= _MOST_RETRIES,
        f"max_output_bytes must be 100 to {_MOST_BYTES:,}": not 100 <= made.max_output_bytes <= _MOST_BYTES,
        "its rate must allow at least one call in a time above 0": made.rate is not None
        and (made.rate.count < 1 or made.rate.per <= timedelta(0)),
    }
    for problem, is_so in wrong.items():
        if is_so:
            raise ToolInvalid(f"The tool {made.name!r} cannot be used: {problem}.")

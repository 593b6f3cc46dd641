"""The commands put together, and errors shown as sentences instead of traces."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer

from mainspring import __version__
from mainspring.foundation.db import DatabaseGone
from mainspring.foundation.errors import MainspringError
from mainspring.foundation.valkey import ValkeyGone


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a command, or with `is_group` a group of them, is written; `summary` is its line in the list of all."""

    module: str
    name: str
    summary: str
    is_group: bool = False


_COMMANDS = {
    "new": _Place("new", "new", "Write a new product that works: a pipeline, a tool, an agent, routes, tests."),
    "serve": _Place("serve", "serve", "Start engines, local models, API, console, gateway and workers, until Ctrl-C."),
    "worker": _Place("serve", "worker", "Run one more worker against the running system; Ctrl-C or SIGTERM drains it."),
    "gateway": _Place("serve", "gateway", "Run the gateway alone, beside engines that run, and keep it running."),
    "demo": _Place("demo", "demo", "Start everything, analyse a sample contract live, print the report."),
    "analyze": _Place("analyze", "analyze", "Analyse contracts, show each step as it happens, and print the reports."),
    "migrate": _Place("operate", "migrate_schema", "Bring the database's schema to this version."),
    "rewrap": _Place("operate", "rewrap", "Wrap every tenant's data key under the first master key."),
    "doctor": _Place("doctor", "doctor", "Show every setting with its source, bring the schema up, test each engine."),
    "models": _Place("catalogue", "models", "List the models that can be called: lifecycle, price, endpoints."),
    "top": _Place("top", "top", "Watch lanes: what waits and since when, what runs, how fast, what is held."),
    "tenant": _Place("operate", "tenants", "Tenants: create, list, switch AI on and off, share out the workers.", True),
    "user": _Place("operate", "users", "People: add them to a tenant with a role.", True),
    "key": _Place("operate", "keys", "API keys: create (shown once), list, revoke.", True),
    "policy": _Place("policies", "policies", "Gateway policies of tenants: show, set.", True),
    "provider-key": _Place("policies", "provider_keys", "Tenants' own keys at providers: set, list, delete.", True),
    "route": _Place("policies", "routes", "Routing of model calls: explain.", True),
    "knowledge": _Place("homes", "knowledge", "Where tenants' knowledge lives, and moving it.", True),
    "approvals": _Place("approvals", "approvals", "Approvals: what waits for a person; list, show, decide.", True),
    "runs": _Place("runs", "runs", "Runs of every tenant: list, show, retry, replay, cancel, signal, watch.", True),
    "dead": _Place("dead", "dead", "Dead letters: groups, list, show, replay, discard, restore.", True),
    "hold": _Place("holding", "hold", "Holds: pause or drain, list, release.", True),
    "schedules": _Place("scheduling", "schedules", "Schedules: list, create, pause, resume, delete, preview.", True),
    "webhooks": _Place("webhooks", "webhooks", "Webhooks of tenants: list, add, test, replay.", True),
}


def build_app(wanted: str | None = None) -> typer.Typer:
    """The commands; with `wanted` only that one can be run, and the others are there to be listed.

    What a command works with takes up to seconds to load, and its user waits for its own only.
    """
    app = typer.Typer(
        name="mainspring",
        help="The backend an AI-first product runs on. Start with `mainspring demo` or `mainspring serve`.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback(invoke_without_command=True)(_root)
    for name, place in _COMMANDS.items():
        if wanted not in (None, name):
            app.command(name, short_help=place.summary)(_unloaded)
            continue
        found: Any = getattr(import_module(f".{place.module}", __package__), place.name)
        if place.is_group:
            app.add_typer(found, name=name, short_help=place.summary)
        else:
            app.command(name, short_help=place.summary)(found)
    return app


def _root(version: bool = typer.Option(False, "--version", help="Show the version and exit.")) -> None:
    if version:
        print(f"mainspring {__version__}")
        raise typer.Exit


def _unloaded() -> None:
    """Stands in the list for a command that was not asked for."""


def _find_wanted(arguments: Sequence[str]) -> str | None:
    """The command that is asked for, or `--help`, which needs none of them; None when a shell asks to complete."""
    if "_MAINSPRING_COMPLETE" in os.environ:  # house: allow-environ - the shell says it in no other way
        return None
    return next((argument for argument in arguments if not argument.startswith("-")), "--help")


def main() -> None:
    """Run a command; an error of ours is one sentence on stderr and exit code 1, a bad usage is 2."""
    try:
        build_app(_find_wanted(sys.argv[1:]))()
    except MainspringError as error:
        print(f"mainspring: {error.detail} [{error.code}]", file=sys.stderr)
        sys.exit(1)
    except (*DatabaseGone, *ValkeyGone) as gone:
        print(f"mainspring: an engine is away ({type(gone).__name__}); see `mainspring doctor`.", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(f"mainspring: {error.strerror or error}: {error.filename or 'see the settings'}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)

"""The commands put together, and errors shown as sentences instead of traces."""

import sys

import typer

from mainspring import __version__
from mainspring.foundation.db import DatabaseGone
from mainspring.foundation.errors import MainspringError
from mainspring.foundation.valkey import ValkeyGone

from . import (
    analyze,
    approvals,
    catalogue,
    dead,
    demo,
    doctor,
    holding,
    homes,
    new,
    operate,
    policies,
    runs,
    scheduling,
    serve,
    top,
    webhooks,
)

app = typer.Typer(
    name="mainspring",
    help="The backend an AI-first product runs on. Start with `mainspring demo` or `mainspring serve`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("new")(new.new)
app.command("serve")(serve.serve)
app.command("worker")(serve.worker)
app.command("gateway")(serve.gateway)
app.command("demo")(demo.demo)
app.command("analyze")(analyze.analyze)
app.command("migrate")(operate.migrate_schema)
app.command("rewrap")(operate.rewrap)
app.command("doctor")(doctor.doctor)
app.add_typer(operate.tenants, name="tenant")
app.add_typer(operate.users, name="user")
app.add_typer(operate.keys, name="key")
app.command("models")(catalogue.models)
app.add_typer(policies.policies, name="policy")
app.add_typer(policies.provider_keys, name="provider-key")
app.add_typer(policies.routes, name="route")
app.add_typer(homes.knowledge, name="knowledge")
app.add_typer(approvals.approvals, name="approvals")
app.command("top")(top.top)
app.add_typer(runs.runs, name="runs")
app.add_typer(dead.dead, name="dead")
app.add_typer(holding.hold, name="hold")
app.add_typer(scheduling.schedules, name="schedules")
app.add_typer(webhooks.webhooks, name="webhooks")


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Show the version and exit.")) -> None:
    if version:
        print(f"mainspring {__version__}")
        raise typer.Exit


def main() -> None:
    """Run a command; an error of ours is one sentence on stderr and exit code 1, a bad usage is 2."""
    try:
        app()
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

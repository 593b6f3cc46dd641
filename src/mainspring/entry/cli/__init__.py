"""The command line: `mainspring --help` lists the commands; every one takes `--json`."""

from .app import main

__all__ = ["main"]

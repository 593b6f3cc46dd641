"""`python -m mainspring.entry.cli` is `mainspring`."""

from .app import main

main()

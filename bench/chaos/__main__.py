"""The command: prints what was counted, and exits with 1 when a promise was broken."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from .director import Plan, play


def main() -> None:
    """Parse, play, print."""
    parser = argparse.ArgumentParser(prog="bench.chaos", description="Kill a working fleet, and count what it lost.")
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=90.0, help="how long orders are placed and parts are hurt")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        verdict = asyncio.run(play(Plan(given.runs, given.seconds, seed=given.seed), Path(folder)))
    for name, found in verdict.facts.items():
        print(f"{name:40} {found}")
    for problem in verdict.broken:
        print(f"BROKEN  {problem}")
    print("every promise was kept" if not verdict.broken else f"{len(verdict.broken)} promises were broken")
    sys.exit(bool(verdict.broken))


if __name__ == "__main__":
    main()

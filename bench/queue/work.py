"""A worker process: `python -m bench.queue.work NAME PLACE` works until it is killed."""

import sys

import msgspec

from .libraries import make
from .types import Place


def main() -> None:
    """Be the worker of one library in one place."""
    name, place = sys.argv[1:]
    make(name, msgspec.json.decode(place, type=Place)).work()


if __name__ == "__main__":
    main()

"""The scripted upstream as a process of its own, for tests that kill things.

    python -m tests.upstream --port 0 --label eu --fail-share 0.4

The first line on standard output is JSON with `url` and `port`. `GET /__upstream` tells what was
received; `POST /__upstream` with `fail_share`, `fail_faults` or `script` changes what happens next.
"""

import argparse
import asyncio
import json
import signal
import sys

from .script import Fault, Reply
from .server import FAIL_FAULTS, Upstream


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--label", default="")
    parser.add_argument("--fail-share", type=float, default=0.0, metavar="SHARE", help="0 to 1")
    parser.add_argument("--faults", default=",".join(FAIL_FAULTS), help="comma-separated; what the failing share gets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--text", default=Reply().text)
    parser.add_argument("--chunks", type=int)
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="before the headers")
    parser.add_argument("--pause", type=float, default=0.0, metavar="SECONDS", help="between pieces")
    options = parser.parse_args()
    reply = Reply(text=options.text, chunks=options.chunks, delay=options.delay, pause=options.pause)
    upstream = Upstream(
        options.label,
        port=options.port,
        default=reply,
        fail_share=options.fail_share,
        fail_faults=[Fault(name) for name in options.faults.split(",")],
        seed=options.seed,
    )
    asyncio.run(_serve(upstream))


async def _serve(upstream: Upstream) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with upstream:
        sys.stdout.write(json.dumps({"url": upstream.url, "port": upstream.port}) + "\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    main()

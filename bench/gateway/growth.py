"""Whether memory stays flat: the gateway's PSS over many requests."""

import time
from collections.abc import Callable
from itertools import pairwise

from .contenders import Contender, Site
from .measuring import await_first_answer
from .processes import drain, memory
from .rig import Rig
from .scenarios import SCENARIOS

_SLICES = 10
_LONGEST_SLICE = 600.0


def measure_growth(contender: Contender, rig: Rig, core: int, requests: int, announce: Callable[[str], None]) -> bool:
    """Send that many requests in ten slices and print the memory after each; True when it stayed flat.

    Flat means that the last nine slices added less than 5 MiB and nothing failed. The first slice
    is left out: pools, caches and the allocator's arenas fill in it.
    """
    folder = rig.folder / f"growth-{time.monotonic_ns()}"
    folder.mkdir(mode=0o755)
    with contender.start(Site(folder, rig.upstream, core, rig.core)) as endpoint:
        await_first_answer(endpoint)
        sizes, sent, failed = [memory(endpoint.processes).pss], 0, 0
        announce(f"{contender.name}: {sizes[0]:.1f} MiB before the first request")
        for _ in range(_SLICES):
            load = rig.load(SCENARIOS["ns_c64"].lasting(_LONGEST_SLICE), endpoint, most=requests // _SLICES)
            drain(endpoint.processes)
            sent, failed = sent + load.ok, failed + load.bad + load.errors
            sizes.append(memory(endpoint.processes).pss)
            announce(f"{sent:>10,} requests  {sizes[-1]:>7.1f} MiB  failed {failed}")
    growth = sizes[-1] - sizes[1]
    steps = ", ".join(f"{after - before:+.1f}" for before, after in pairwise(sizes))
    announce(f"grew by {growth:+.1f} MiB over the last nine tenths (step by step: {steps})")
    return growth < 5 and failed == 0

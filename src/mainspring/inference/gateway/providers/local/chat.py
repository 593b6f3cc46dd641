"""llama.cpp's own server, inside this process, on a loopback port of its own.

One core is always left free. llama.cpp's threads wait for each other by spinning: measured on two
cores of which another process used one, two threads made 0.8 tokens a second and one made 146.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

CONTEXT_TOKENS = 8192
_PARALLEL = 2


class ChatServer(Protocol):
    """A running server; it stops when it is no longer referred to."""

    @property
    def listening_address(self) -> str:
        """Its URL."""
        ...


def start_chat(model: Path, name: str, threads: int) -> ChatServer:
    """Load the model and serve it; RuntimeError when llama.cpp cannot read the file."""
    llama: Any = import_module("xllamacpp")  # a compiled module without types
    parameters = llama.CommonParams()
    parameters.model.path = str(model)
    parameters.model_alias = {name}
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_parallel = _PARALLEL
    parameters.kv_unified = True  # the slots share the context, so that one call may use all of it
    for cpu in (parameters.cpuparams, parameters.cpuparams_batch):
        cpu.n_threads = spare_threads(threads)
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.endpoint_metrics = False
    parameters.cache_ram_mib = 0
    parameters.verbosity = -1
    return llama.Server(parameters)


def spare_threads(threads: int) -> int:
    """As many as asked for, but one core fewer than there are."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(threads, cores - 1))

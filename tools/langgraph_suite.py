"""Count how many of LangGraph's own client tests pass against the agent server, and name those that do not.

    python -m tools.langgraph_suite ~/langgraph        the path of a checkout of langchain-ai/langgraph

Starts the test product (tests/orchestration/agents/server) on a free port and runs `libs/sdk-py/tests/integration` of
the checkout against it, as it is, with the `langgraph-sdk` that is installed here. One file of the suite names
http://localhost:2024 itself; its tests are pointed at the server and counted apart. Nothing is fetched.
"""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SUITE = Path("libs/sdk-py")
NAMES_ITS_SERVER = "test_remote_graph_v3"
URL = "LANGGRAPH_INTEGRATION_URL"


@dataclass(frozen=True, slots=True)
class Count:
    """What came of some tests: how many passed, and the names of the others."""

    passed: int
    failed: tuple[str, ...]


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """As a plugin of the suite's own run: point the one file that names its server at ours."""
    for module in {item.module for item in items if item.module.__name__.endswith(NAMES_ITS_SERVER)}:
        module.URL = os.environ[URL]


@contextmanager
def serving() -> Generator[str]:
    """The URL of the test product, while the block runs."""
    command = [sys.executable, "-m", "tests.orchestration.agents.server.serve"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            url = server.stdout.readline().strip()
            if not url:
                raise SystemExit("The test product did not start; see above.")
            yield url
        finally:
            server.stdin.close()
            server.wait(30)


def run_suite(folder: Path, url: str) -> tuple[Count, Count]:
    """The tests that take the URL, and those that name a server themselves."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        # -P: the checkout's folder is not looked into for packages, so that the installed client is the one tested.
        command = [sys.executable, "-P", "-m", "pytest", "tests/integration", "-m", "integration"]
        command += ["-o", "addopts=", "-q", "-W", "ignore", "--timeout", "60", "--tb=short", f"--junitxml={report}"]
        command += ["-p", "no:cacheprovider", "-p", "no:randomly", "-p", "tools.langgraph_suite"]
        environment = {**os.environ, URL: url, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, cwd=folder, env=environment, check=False)
        cases = list(ET.parse(report).getroot().iter("testcase"))
    named = [case for case in cases if case.get("classname", "").endswith(NAMES_ITS_SERVER)]
    return count([case for case in cases if case not in named]), count(named)


def count(cases: list[ET.Element]) -> Count:
    """Passed is what neither failed nor was skipped."""
    failed = [case for case in cases if any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))]
    names = tuple(f"{case.get('classname')}::{case.get('name')}" for case in failed)
    return Count(len(cases) - len(failed), names)


def main() -> None:
    """Entry point."""
    if len(sys.argv) != 2 or not (folder := Path(sys.argv[1]).expanduser() / SUITE).is_dir():
        raise SystemExit(f"Give the path of a checkout of langchain-ai/langgraph: it holds {SUITE}.")
    with serving() as url:
        ours, named = run_suite(folder, url)
    print(f"langgraph-sdk {version('langgraph-sdk')} against the agent server")
    print(f"  by {URL}: {ours.passed} of {ours.passed + len(ours.failed)} pass")
    print(f"  pointed here instead of localhost:2024: {named.passed} of {named.passed + len(named.failed)} pass")
    for name in (*ours.failed, *named.failed):
        print(f"  not passed: {name}")
    raise SystemExit(1 if ours.failed or named.failed else 0)


if __name__ == "__main__":
    main()

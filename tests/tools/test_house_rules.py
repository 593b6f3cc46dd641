"""Each rule of the house finds its bad sample and leaves the good one alone."""

from pathlib import Path

import pytest

from tools.lint.house import check_file

STORE = Path("src/mainspring/application/thing/store.py")
SERVICE = Path("src/mainspring/application/thing/service.py")


@pytest.mark.parametrize(
    ("path", "bad", "good", "rule"),
    [
        (STORE, "async def load(name: str): ...", "async def load(tx: TenantTransaction): ...", "tenant-first"),
        (SERVICE, "Q = 'select a from b'", "Q = 'select a door'", "sql-outside-store"),
        (SERVICE, "import os\nK = os.environ['K']", "K = 1", "environ"),
        (SERVICE, "x = 1\n" * 501, "x = 1\n" * 500, "file-size"),
        (SERVICE, "def f():\n" + "    x = 1\n" * 60, "def f():\n" + "    x = 1\n" * 59, "function-size"),
        (SERVICE, "x = 1  # house: allow-environ - none", "x = 1", "unused-opt-out"),
        (Path("src/mainspring/utils.py"), "x = 1", "", "drawer"),
    ],
)
def test_a_rule_finds_its_bad_sample(path: Path, bad: str, good: str, rule: str):
    assert [finding.rule for finding in check_file(path, bad)] == [rule]
    if good:
        assert check_file(path, good) == []


def test_an_opt_out_with_the_rules_name_is_respected():
    assert check_file(SERVICE, "Q = 'select a from b'  # house: allow-sql-outside-store - sample") == []

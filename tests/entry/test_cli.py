"""Each command, run as a user runs it: in a process of its own, against the running system."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mainspring.application.identity import Role
from mainspring.entry.stack import find_stack_url
from mainspring.inference.gateway.models import PriceBook
from mainspring.showcase.contracts import sample_path
from tests.scene import Scene
from tests.stack import RunningStack


def run(stack: RunningStack | None, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    home = {"MAINSPRING_DATA_DIR": str(stack.settings.data_dir)} if stack else {}
    return subprocess.run(
        [sys.executable, "-m", "mainspring.entry.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "COLUMNS": "200", **home, **environment},
    )


def read(stack: RunningStack, *arguments: str) -> dict[str, object]:
    answer = run(stack, *arguments, "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


COMMANDS = [
    *("serve", "worker", "gateway", "demo", "analyze", "migrate", "doctor"),
    *("tenant", "user", "key", "models", "policy", "provider-key", "route"),
    *("new", "runs", "dead", "hold", "schedules", "top", "approvals", "webhooks"),
]


def test_help_lists_every_command():
    answer = run(None, "--help")
    assert answer.returncode == 0
    assert all(command in answer.stdout for command in COMMANDS)


def test_a_tenant_a_person_and_a_key_are_made_listed_and_revoked(stack: RunningStack):
    assert read(stack, "tenant", "create", "cli-firm", "--name", "CLI Firm")["slug"] == "cli-firm"
    added = read(stack, "user", "add", "cli-firm", "ann@example.com", "--role", "owner")
    assert len(str(added["password"])) >= 10
    made = read(stack, "key", "create", "cli-firm", "--name", "ci", "--scope", "ai.output.view")
    assert str(made["secret"]).startswith("ms_")
    assert read(stack, "key", "revoke", "cli-firm", str(made["id"]))["state"] == "revoked"
    listed = run(stack, "key", "list", "cli-firm")
    assert "revoked" in listed.stdout
    assert str(made["secret"]) not in listed.stdout
    assert read(stack, "tenant", "ai", "cli-firm", "off")["ai_enabled"] is False
    assert read(stack, "tenant", "share", "cli-firm")["weight"] == 1
    assert read(stack, "tenant", "share", "cli-firm", "--weight", "5", "--max-running", "3")["max_running"] == 3
    assert read(stack, "tenant", "share", "cli-firm", "--max-running", "0")["max_running"] is None


def test_doctor_shows_each_setting_with_its_source_and_each_engine(stack: RunningStack):
    shown = read(stack, "doctor")
    checks = {check["name"]: check for check in shown["checks"]}  # pyright: ignore[reportGeneralTypeIssues]
    assert all(check["works"] for check in checks.values())
    assert {"Postgres", "Valkey", "object store", "local models", "catalogue", "API", "gateway"} == set(checks)
    assert checks["gateway"]["detail"] == stack.gateway_url
    assert "endpoints: local; " in checks["catalogue"]["detail"]
    assert f"prices: {PriceBook.open().version}" in checks["catalogue"]["detail"]
    sources = {fact["name"]: fact["source"] for fact in shown["settings"]}  # pyright: ignore[reportGeneralTypeIssues]
    assert sources["data_dir"] == "env MAINSPRING_DATA_DIR"


def test_doctor_says_what_fails_and_exits_with_one(tmp_path: Path):
    away = {
        "MAINSPRING_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "MAINSPRING_VALKEY_URL": "redis://127.0.0.1:1/0",
        "MAINSPRING_DATA_DIR": str(tmp_path),
    }
    answer = run(None, "doctor", **away)
    assert answer.returncode == 1
    assert [line.split()[1] for line in answer.stdout.splitlines() if line.startswith("fails")] == [
        "Postgres",
        "Valkey",
    ]
    assert "Traceback" not in answer.stderr


def test_a_file_is_analysed_and_its_report_printed(scene: Scene, tmp_path: Path):
    contract = tmp_path / "nda.txt"
    contract.write_text(sample_path("nda.txt").read_text() + "\nFrom the command line.\n")
    key = scene.people[Role.ANALYST].key
    answer = run(scene.stack, "analyze", str(contract), MAINSPRING_API_KEY=key)
    assert answer.returncode == 0, answer.stderr
    assert "Read the document" in answer.stdout
    assert "How this report was made" in answer.stdout
    again = run(scene.stack, "analyze", str(contract), "--json", MAINSPRING_API_KEY=key)
    assert json.loads(again.stdout)["contract"]["name"] == "nda.txt"


def test_a_bad_file_among_good_ones_is_named_and_the_exit_code_tells(scene: Scene, tmp_path: Path):
    (tmp_path / "empty.pdf").write_bytes(b"")
    key = scene.people[Role.ANALYST].key
    answer = run(
        scene.stack, "analyze", str(tmp_path / "empty.pdf"), str(tmp_path / "none.pdf"), MAINSPRING_API_KEY=key
    )
    assert answer.returncode == 1
    assert "empty_file" in answer.stderr
    assert "There is no file" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tenant", "create", "Not A Slug"), "must be 1 to 40 of a-z"),
        (("key", "list", "nobody-here"), "mainspring tenant list"),
        (("key", "revoke", "acme", "key_nonsense"), "There is no key_"),
        (("analyze", "x.pdf"), "MAINSPRING_API_KEY"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(scene: Scene, arguments: tuple[str, ...], said: str):
    answer = run(scene.stack, *arguments)
    assert answer.returncode == 1
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_bad_setting_is_named(stack: RunningStack):
    answer = run(stack, "tenant", "list", MAINSPRING_PORT="99999")
    assert answer.returncode == 1
    assert "port" in answer.stderr


def test_migrate_has_nothing_to_do_the_second_time(stack: RunningStack):
    answer = read(stack, "migrate")
    assert answer["before"] == answer["after"]


def test_analyze_without_a_server_says_how_to_start_one(tmp_path: Path):
    answer = run(None, "analyze", "x.pdf", MAINSPRING_DATA_DIR=str(tmp_path))
    assert (answer.returncode, "mainspring serve" in answer.stderr) == (1, True)


def test_a_second_system_in_the_same_folder_is_told_about_the_first(stack: RunningStack):
    answer = run(stack, "serve")
    assert answer.returncode == 1
    assert "in use by another Mainspring" in answer.stderr
    assert find_stack_url(stack.settings.data_dir) == stack.url, "the refused one took the first one's address away"

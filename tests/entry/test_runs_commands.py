"""The commands of operating, run as an operator runs them, against a whole system."""

import json
from typing import Any

import pytest

from mainspring.application.identity import Role
from mainspring.entry.cli.dead import explain_skipped
from mainspring.entry.cli.top import show_age
from mainspring.foundation.clock import now
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.orchestration.pipelines.operating import BulkAction, BulkId, BulkKind
from tests.entry.test_gateway_commands import read, run
from tests.scene import Scene

PIPELINE = "contracts.analyze"
COMMANDS = ["runs", "dead", "hold", "schedules", "top"]


@pytest.fixture(scope="module")
def cancelled(scene: Scene) -> dict[str, Any]:
    """A run that was held back by a pause, and cancelled."""
    held = read(scene.stack, "hold", "pause", "--reason", "Rehearsal", "--pipeline", PIPELINE, "--tenant", "acme")
    with scene.stack.client(scene.people[Role.OWNER]) as client:
        submitted = client.upload_bytes(b"1. Term. This agreement lasts two years.", f"{new_id().hex}.txt")
    (shown,) = [each for each in read(scene.stack, "hold", "list") if each["id"] == held["id"]]
    assert (shown["held"], shown["tenant"], shown["reason"]) == (PIPELINE, "acme", "Rehearsal")
    (ended,) = read(scene.stack, "runs", "cancel", submitted.run.id)
    assert ended["status"] == "cancelled"
    assert read(scene.stack, "hold", "release", held["id"])["id"] == held["id"]
    return {"run": submitted.run.id, "contract": submitted.contract.id}


def test_help_names_the_commands_and_what_they_do():
    answer = run(None, "--help")
    assert all(command in answer.stdout for command in COMMANDS)
    for command in COMMANDS:
        told = run(None, command, "--help")
        assert told.returncode == 0
        assert "Usage" in told.stdout


def test_runs_of_every_tenant_are_listed_without_their_words(scene: Scene):
    rows = read(scene.stack, "runs", "list", "--pipeline", PIPELINE, "--status", "succeeded")
    (row,) = [each for each in rows if each["id"] == scene.run]
    assert (row["tenant"], row["pipeline"].partition("@")[0], row["error"]) == ("acme", PIPELINE, None)
    theirs = read(scene.stack, "runs", "list", "--tenant", "rival")
    assert all(each["tenant"] == "rival" and each["id"] != scene.run for each in theirs)
    assert scene.run in run(scene.stack, "runs", "list", "--since", "1d").stdout


def test_a_run_is_shown_and_its_steps_to_who_names_the_tenant(scene: Scene):
    shown = run(scene.stack, "runs", "show", scene.run)
    assert "succeeded" in shown.stdout
    steps = read(scene.stack, "runs", "steps", scene.run, "--tenant", "acme")
    assert {step["status"] for step in steps} == {"succeeded"}
    first = steps[0]["step"]
    detail = read(scene.stack, "runs", "steps", scene.run, first, "--tenant", "acme")
    assert detail["input"]
    assert detail["output"]
    for foreign in (("show", scene.run), ("steps", scene.run), ("watch", scene.run)):
        answer = run(scene.stack, "runs", *foreign, "--tenant", "rival")
        assert (answer.returncode, "not_found" in answer.stderr) == (1, True)


def test_a_run_that_was_cancelled_is_retried_and_watched(scene: Scene, cancelled: dict[str, Any]):
    first = read(scene.stack, "runs", "retry", cancelled["run"])
    again = read(scene.stack, "runs", "retry", cancelled["run"])
    assert first["run"] == again["run"] != cancelled["run"]
    watched = run(scene.stack, "runs", "watch", first["run"], "--tenant", "acme")
    assert watched.returncode == 0, watched.stdout + watched.stderr
    assert "✓" in watched.stdout
    facts = run(scene.stack, "runs", "show", first["run"]).stdout
    assert cancelled["run"] in facts


def test_a_run_is_replayed_as_it_was(scene: Scene):
    replayed = read(scene.stack, "runs", "replay", scene.run)
    assert replayed["run"] != scene.run
    assert run(scene.stack, "runs", "watch", replayed["run"], "--tenant", "acme").returncode == 0


def test_what_is_refused_is_a_sentence(scene: Scene):
    refused = {
        ("runs", "retry", scene.run): "run_unfinished",
        ("runs", "show", "run_0"): "not_found",
        ("runs", "list", "--since", "soon"): "90s, 15m, 6h or 3d",
        ("runs", "list", "--tenant", "nobody-here"): "mainspring tenant list",
        ("runs", "signal", scene.run, "paid", "--payload", "{"): "not JSON",
        ("runs", "replay", scene.run, "--input", "/none.json"): "There is no file /none.json",
        ("dead", "show", show_id("dead", new_id()), "--tenant", "acme"): "not_found",
        ("dead", "replay", "dead_0"): "not_found",
        ("hold", "pause", "--reason", "r", "--step", "parse"): "name its pipeline",
        ("hold", "pause", "--reason", "r", "--pipeline", "contracts.analyse"): "there are agents.run",
        ("hold", "drain", "--reason", "r", "--pipeline", PIPELINE, "--step", "pars"): "has no step",
        ("hold", "release", show_id("hold", new_id())): "not_found",
        ("schedules", "preview", "61 * * * *", "--tenant", "acme"): "schedule_invalid",
        ("schedules", "delete", show_id("sch", new_id()), "--tenant", "acme"): "not_found",
    }
    for arguments, said in refused.items():
        answer = run(scene.stack, *arguments)
        assert answer.returncode == 1, (arguments, answer.stdout)
        assert said in answer.stderr, arguments
        assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("runs", "cancel"),
        ("runs", "cancel", "--all"),
        ("runs", "steps", "run_0"),
        ("dead", "replay"),
        ("dead", "replay", "dead_0", "--all"),
        ("dead", "discard", "--all"),
        ("hold", "pause"),
        ("top", "--every", "0"),
    ],
)
def test_a_choice_that_is_left_open_is_a_bad_usage(scene: Scene, arguments: tuple[str, ...]):
    answer = run(scene.stack, *arguments)
    assert answer.returncode == 2, answer.stdout


def test_dead_letters_of_nobody_are_said_to_be_none(scene: Scene):
    assert read(scene.stack, "dead", "groups", "--tenant", "rival") == []
    assert "No dead letter is open." in run(scene.stack, "dead", "list", "--tenant", "rival").stdout
    (done,) = read(scene.stack, "dead", "replay", "--all", "--tenant", "rival")
    assert (done["done"], done["skipped"]) == (0, 0)


@pytest.mark.parametrize(
    ("kind", "skipped", "problem", "is_said"),
    [
        (BulkKind.REPLAY, 2, None, True),
        (BulkKind.REPLAY, 0, None, False),
        (BulkKind.REPLAY, 2, "It is drained.", False),
        (BulkKind.DISCARD, 2, None, False),
    ],
)
def test_items_that_are_passed_over_by_a_replay_are_explained(
    kind: BulkKind, skipped: int, problem: str | None, is_said: bool
):
    action = BulkAction(
        BulkId(new_id()), TenantId(new_id()), kind, "finished", 0, skipped, "operator", now(), now(), None, problem
    )
    assert ("their step tolerates" in (explain_skipped(action) or "")) is is_said


def test_top_shows_lanes_workers_and_holds(scene: Scene):
    shown = read(scene.stack, "top")
    assert shown["places"]["workers"] >= 1
    assert shown["places"]["total"] >= shown["places"]["taken"]
    page = run(scene.stack, "top", "--once").stdout
    assert "places taken of" in page


def test_a_schedule_is_made_paused_and_deleted(scene: Scene, cancelled: dict[str, Any]):
    steps = read(scene.stack, "runs", "steps", scene.run, "--tenant", "acme")
    detail = read(scene.stack, "runs", "steps", scene.run, steps[0]["step"], "--tenant", "acme")
    given = json.dumps(detail["input"])
    made = read(
        scene.stack,
        *("schedules", "create", "every-new-year", PIPELINE, "0 0 1 1 *", "--tenant", "acme", "--input", "-"),
        given=given,
    )
    assert read(scene.stack, "schedules", "pause", made["id"], "--tenant", "acme")["next"] == "paused"
    assert read(scene.stack, "schedules", "resume", made["id"], "--tenant", "acme")["next"].endswith("-01-01 00:00:00")
    assert [each["id"] for each in read(scene.stack, "schedules", "list", "--tenant", "acme")] == [made["id"]]
    assert read(scene.stack, "schedules", "delete", made["id"], "--tenant", "acme")["state"] == "deleted"


def _schedule(name: str, pipeline: str, cron: str) -> tuple[str, ...]:
    return ("schedules", "create", name, pipeline, cron, "--tenant", "acme", "--input", "-")


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (_schedule("bad-cron", PIPELINE, "61 7 * * *"), "{}", "schedule_invalid"),
        (_schedule("bad-json", PIPELINE, "0 7 * * *"), "{'a': 1}", "is not JSON"),
        (_schedule("bad-name", "contracts.analyse", "0 7 * * *"), "{}", "There is no pipeline"),
        (_schedule("bad-input", PIPELINE, "0 7 * * *"), "{}", "does not fit"),
        (("runs", "retry", show_id("run", new_id())), "", "not_found"),
        (("runs", "replay", "run_0"), "", "not_found"),
        (("schedules", "pause", show_id("sch", new_id()), "--tenant", "acme"), "", "not_found"),
    ],
    ids=["cron", "json", "pipeline", "input", "retry", "replay", "pause"],
)
@pytest.mark.timeout(90)  # what a command may take that builds the whole platform, and a scene before it
def test_a_mistake_is_answered_and_the_command_ends(scene: Scene, arguments: tuple[str, ...], given: str, said: str):
    answer = run(scene.stack, *arguments, given=given)
    assert answer.returncode == 1, answer.stdout
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, ""), (0.03, "30ms"), (1.24, "1.2s"), (42, "42s"), (600, "10m"), (9000, "2h"), (400_000, "5d")],
)
def test_ages_have_one_unit(seconds: float | None, shown: str):
    assert show_age(seconds) == shown

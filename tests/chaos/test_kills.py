"""Kill anything in mid-analysis: no run is lost, none finishes twice, every stream tells the whole story once.

Short form: one kill of each part. `make test-chaos` runs the long form, which keeps killing at random.
"""

import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from mainspring.entry.client import Event, MainspringClient, Patience
from mainspring.entry.engines import running_engines
from mainspring.foundation.valkey import open_valkey
from tests.stack import RunningStack, run_stack

PARTS = ["worker", "api", "Valkey", "Postgres"]
_CLAUSES = """{number}. {heading}
{heading} of agreement {name}: this Agreement shall be governed by the laws of Delaware, renews for successive
terms of twenty-four (24) months unless notice is given ninety (90) days before, and limits liability to fees paid.
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with run_stack(tmp_path_factory.mktemp("chaos"), workers=2, lease=timedelta(seconds=1.5)) as running:
        yield running


@pytest.fixture(scope="module")
def client(stack: RunningStack) -> Iterator[MainspringClient]:
    person = stack.person("chaos")
    with MainspringClient(stack.url, person.key, patience=Patience(attempts=60)) as opened:
        yield opened


def contract(name: str, clauses: int = 12) -> bytes:
    headings = ["Governing Law", "Term", "Renewal", "Liability", "Confidentiality"]
    parts = [_CLAUSES.format(number=n, heading=headings[n % 5], name=name) for n in range(1, clauses + 1)]
    return "\n".join(parts).encode()


def submit(client: MainspringClient, name: str, count: int) -> list[str]:
    return [client.upload_bytes(contract(f"{name}-{n}"), f"{name}-{n}.txt").run.id for n in range(count)]


def follow_all(client: MainspringClient, runs: Sequence[str]) -> list[list[Event]]:
    def follow(run: str) -> list[Event]:
        return list(client.events(run))

    with ThreadPoolExecutor(len(runs)) as readers:
        return list(readers.map(follow, runs))


def kill(stack: RunningStack, part: str) -> None:
    """As a crash would: SIGKILL; the supervisor starts it again. Valkey comes back empty."""
    stack.stack.children()[part].kill()


def assert_whole_story_once(client: MainspringClient, run: str, events: list[Event]) -> None:
    # A snapshot replaces what was shown; it carries the id of the event it stands after.
    told = [event for event in events if event.type != "snapshot"]
    ids = [tuple(map(int, event.id.split("-"))) for event in told]
    assert ids == sorted(set(ids)), "an event came twice, or out of order"
    kinds = [event.type for event in events]
    assert kinds.count("run.started") == 1
    assert kinds.count("run.finished") == 1
    assert kinds[-1] == "run.finished"
    milestones = {event.id for event in told if event.id.endswith("-0")}
    durable = {event.id for event in client.events(run) if event.id.endswith("-0")}
    assert milestones == durable, "a milestone is missing from the stream that was followed"


def assert_finished_once(stack: RunningStack, runs: Sequence[str], client: MainspringClient) -> None:
    assert [client.get_run(run).status for run in runs] == ["succeeded"] * len(runs)
    with psycopg.connect(running_engines(stack.settings).database_admin_url) as connection:
        doubled = connection.execute("""
            select run_id, type, count(*) from run_event where type = 'run.finished'
             group by run_id, type having count(*) > 1""").fetchall()
        reports = connection.execute(
            "select run_id, count(*) from report group by run_id having count(*) > 1"
        ).fetchall()
    assert doubled == []
    assert reports == []


@pytest.mark.timeout(180)
@pytest.mark.parametrize("part", PARTS)
def test_killing_a_part_in_mid_run_loses_nothing(stack: RunningStack, client: MainspringClient, part: str):
    runs = submit(client, f"kill-{part}", 3)
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(follow_all, client, runs)
        wait_for_progress(client, runs[-1])
        kill(stack, part)
        stories = following.result()
    for run, events in zip(runs, stories, strict=True):
        assert_whole_story_once(client, run, events)
    assert_finished_once(stack, runs, client)


@pytest.mark.timeout(180)
async def test_wiping_valkey_in_mid_run_loses_nothing(stack: RunningStack, client: MainspringClient):
    runs = submit(client, "wipe", 3)
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(follow_all, client, runs)
        wait_for_progress(client, runs[-1])
        valkey = open_valkey(running_engines(stack.settings).valkey_url)
        await valkey.execute_command("FLUSHALL")
        await valkey.aclose()
        stories = following.result()
    for run, events in zip(runs, stories, strict=True):
        assert_whole_story_once(client, run, events)
    assert_finished_once(stack, runs, client)


@pytest.mark.timeout(180)
def test_a_client_resumes_from_any_event_without_gap_or_repeat(client: MainspringClient):
    run = submit(client, "resume", 1)[0]
    whole = list(client.events(run))
    for place in range(0, len(whole), 3):
        rest = list(client.events(run, after=whole[place].id))
        milestones = [event.id for event in rest if event.id.endswith("-0")]
        assert milestones == [event.id for event in whole[place + 1 :] if event.id.endswith("-0")]
        assert all(event.id != whole[place].id for event in rest)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_runs_survive_a_minute_of_random_kills(stack: RunningStack, client: MainspringClient):
    chance, runs = random.Random(7), submit(client, "storm", 20)
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(follow_all, client, runs)
        for _ in range(10):
            part = chance.choice([*PARTS, "worker-2", "models"])
            wait_until_running(stack, part)
            kill(stack, part)
            wait_until_running(stack, part)
        stories = following.result()
    for run, events in zip(runs, stories, strict=True):
        assert_whole_story_once(client, run, events)
    assert_finished_once(stack, runs, client)


def wait_for_progress(client: MainspringClient, run: str) -> None:
    """Until the run has started its second step and not ended."""
    for event in client.events(run):
        if event.type == "step.finished":
            return


def wait_until_running(stack: RunningStack, part: str) -> None:
    deadline = time.monotonic() + 60
    while not stack.stack.children()[part].is_running:
        assert time.monotonic() < deadline, f"{part} was not started again"
        time.sleep(0.05)

"""The daily watch on real engines: quiet while nothing moves, loud once when something does."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.orchestration.knowledge.watching import CheckKind, CheckStatus, Subject

from .observatory import Drift, Observatory, another_watch, open_observatory, text_of, word_of

EVERY = len(CheckKind)


def turned(vector: Sequence[float]) -> Sequence[float]:
    """Every vector turned the same way: lengths and neighbours stay, and nothing fits what is stored."""
    return [*vector[1:], vector[0]]


def stretched(vector: Sequence[float]) -> Sequence[float]:
    return [1.5 * number for number in vector]


async def test_thirty_days_on_which_nothing_moves_are_quiet_and_then_a_changed_model_is_loud_once(
    observatory: Observatory,
):
    documents = await observatory.fill()
    for number, document in enumerate(documents[:8]):
        await observatory.ask_for(document, number)
    assert await observatory.look(30) == 30 * EVERY
    assert await observatory.alerts() == []
    for kind in (CheckKind.CANARY, CheckKind.VECTORS, CheckKind.GOLDEN):
        assert (await observatory.newest(kind))[0] is CheckStatus.NORMAL, kind
    figures = (await observatory.newest(CheckKind.GOLDEN))[1]
    assert (figures["questions"], figures["recall_10"]) == (8, 1.0)
    assert (await observatory.newest(CheckKind.VECTORS))[1]["mean_norm"] == pytest.approx(1, abs=1e-3)

    observatory.embedder.drift = turned
    await observatory.look(5)
    (alert,) = await observatory.alerts()
    index = await observatory.index()
    assert (alert.subject, alert.resolved_at) == (Subject(CheckKind.CANARY, index.model), None)
    assert {each.figure for each in alert.moved} == {"mean_cosine", "worst_cosine"}
    (event,) = await observatory.events()
    assert (event["kind"], event["subject"], event["day"]) == ("canary", index.model, alert.opened_on.isoformat())

    observatory.embedder.drift = None
    await observatory.look()
    assert await observatory.open_kinds() == []
    observatory.embedder.drift = turned
    await observatory.look(2)
    assert len(await observatory.alerts()) == len(await observatory.events()) == 2


@pytest.mark.parametrize(("drift", "other_model"), [(turned, None), (stretched, None), (None, "another")])
async def test_the_canary_tells_a_model_that_turned_stretched_or_is_another(
    observatory: Observatory, drift: Drift | None, other_model: str | None
):
    await observatory.fill(1)
    await observatory.look(2)
    assert await observatory.open_kinds() == []
    observatory.embedder.drift, observatory.embedder.other_model = drift, other_model
    await observatory.look()
    assert await observatory.open_kinds() == [CheckKind.CANARY]


async def test_vectors_of_another_length_among_those_that_are_searched_are_told(observatory: Observatory):
    await observatory.fill()
    await observatory.look(8)
    observatory.embedder.drift = stretched
    for number in range(20, 24):
        await observatory.workshop.bring_in(f"d{number}", text_of(number))
    observatory.embedder.drift = None
    await observatory.look(3)
    assert await observatory.open_kinds() == [CheckKind.VECTORS]
    (alert,) = await observatory.alerts()
    moved = {each.figure: each for each in alert.moved}
    assert moved["mean_norm"].value > 1.1 > 1.01 > moved["mean_norm"].expected
    assert moved["non_unit_share"].value == pytest.approx(24 / 84)


async def test_answers_that_are_no_longer_found_are_told_and_acknowledged_they_are_the_usual(observatory: Observatory):
    documents = await observatory.fill()
    for number, document in enumerate(documents[:8]):
        await observatory.ask_for(document, number)
    await observatory.look(4)
    for number in range(7):
        await observatory.workshop.bring_in(f"d{number}", text_of(number + 40))
    asked = ", ".join(word_of(number, 0) for number in range(7))
    for other in range(60, 72):  # others speak of these words now
        own = " ".join(word_of(other, place) for place in range(8))
        await observatory.workshop.bring_in(f"e{other}", f"What kind of thing are {asked}? " * 3 + f"{own} " * 12)
    await observatory.look(2)
    assert CheckKind.GOLDEN in await observatory.open_kinds()
    (alert,) = [each for each in await observatory.alerts() if each.subject.kind is CheckKind.GOLDEN]
    assert "recall_10" in {each.figure for each in alert.moved}

    first = await observatory.watch.records.acknowledge(observatory.admin, alert.id)
    again = await observatory.watch.records.acknowledge(observatory.admin, alert.id)
    assert (first.acknowledged_by, again) == ("Anna", first)
    await observatory.look(5)
    (alert,) = [each for each in await observatory.alerts() if each.subject.kind is CheckKind.GOLDEN]
    assert alert.resolved_at is not None
    assert (await observatory.newest(CheckKind.GOLDEN))[0] is CheckStatus.NORMAL


async def test_each_check_is_made_once_a_day_whoever_tries_and_however_often(observatory: Observatory):
    await observatory.fill(2)
    await observatory.look()
    observatory.embedder.drift = turned
    index = await observatory.index()
    workers = [another_watch(observatory) for _ in range(4)]
    made = await asyncio.gather(*(worker.watch_tenant(index) for worker in workers))
    made += [await worker.watch_tenant(index) for worker in workers]
    assert sum(made) == EVERY
    assert observatory.embedder.canaries == [observatory.tenant] * 2
    assert len(await observatory.events()) == 1


async def test_a_check_that_was_cut_off_is_made_after_a_while(observatory: Observatory):
    await observatory.fill(2)
    index = await observatory.index()
    cut_off = Subject(CheckKind.GOLDEN, "questions")
    assert await observatory.watch.records.claim(observatory.tenant, cut_off) is not None
    assert await observatory.watch.watch_tenant(index) == EVERY - 1
    assert await observatory.watch.watch_tenant(index) == 0
    observatory.days.now += timedelta(minutes=16)
    assert await another_watch(observatory).watch_tenant(index) == 1


async def test_a_model_that_is_away_measures_nothing_and_is_asked_again(observatory: Observatory):
    (document,) = await observatory.fill(1)
    await observatory.ask_for(document, 0)
    index = await observatory.index()
    observatory.embedder.away_for = {observatory.tenant}
    assert await observatory.watch.watch_tenant(index) == EVERY - 2  # no canary, no golden questions
    observatory.embedder.away_for = set()
    observatory.days.now += timedelta(hours=1)
    assert await observatory.watch.watch_tenant(index) == 2
    assert await observatory.alerts() == []


async def test_a_model_is_asked_once_for_all_its_tenants_and_one_that_fails_stops_no_other(
    observatory: Observatory, database: Database, objects: ObjectStore, other_tenant: TenantId
):
    embedder = observatory.embedder
    other = await open_observatory(database, objects, other_tenant, model=observatory.tenant, embedder=embedder)
    for each in (observatory, other):
        (document,) = await each.fill(1)
        await each.ask_for(document, 0)
    embedder.away_for, stop = {observatory.tenant}, asyncio.Event()
    stop.set()
    assert await observatory.watch.keep_watch(stop) == 0
    await observatory.watch.keep_watch()
    assert embedder.canaries[-1:] == [other.tenant]
    assert len(await observatory.watch.records.list_checks(observatory.tenant)) == EVERY - 1
    assert len(await other.watch.records.list_checks(other.tenant)) == EVERY

    observatory.days.pass_one()
    embedder.away_for, embedder.drift = set(), turned
    both = (observatory.tenant, other.tenant)
    for each in (observatory, other):
        each.days.now = observatory.days.now
        await each.watch.watch_tenant(await each.index(), both)
    assert embedder.canaries.count(observatory.tenant) + embedder.canaries.count(other.tenant) == 2
    for each in (observatory, other):
        assert await each.open_kinds() == [CheckKind.CANARY]
        assert len(await each.events()) == 1


async def test_a_defect_in_one_check_leaves_the_others_to_be_made(observatory: Observatory):
    (document,) = await observatory.fill(1)
    await observatory.ask_for(document, 0)
    observatory.embedder.breaks_for = {observatory.tenant}
    assert await observatory.watch.watch_tenant(await observatory.index()) == EVERY - 2
    observatory.embedder.breaks_for = set()
    observatory.days.now += timedelta(minutes=16)
    assert await observatory.watch.watch_tenant(await observatory.index()) == 2


async def test_words_that_were_never_seen_before_are_counted(observatory: Observatory):
    text = "\n\n".join(" ".join(f"word{number}x{place}" for number in range(60)) for place in range(5))
    await observatory.workshop.bring_in("a", text)
    await observatory.look()
    status, figures = await observatory.newest(CheckKind.VOCABULARY)
    assert (status, figures["new_term_share"]) == (CheckStatus.LEARNING, 1.0)
    assert figures["terms"] >= 300
    observatory.days.pass_one()
    await observatory.look()
    assert "new_term_share" not in (await observatory.newest(CheckKind.VOCABULARY))[1]


async def test_a_tenant_reads_its_own_checks_and_nobody_elses(observatory: Observatory, other_tenant: TenantId):
    await observatory.fill(1)
    await observatory.look()
    observatory.embedder.drift = turned
    await observatory.look()
    assert await observatory.watch.records.list_checks(other_tenant) == ()
    assert await observatory.watch.records.list_alerts(other_tenant) == ()

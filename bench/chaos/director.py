"""Directs the play: submits, follows, hurts and deploys at once, then asks for the verdict."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from mainspring.application.identity import ROLE_PERMISSIONS, Identity, Role, operator
from mainspring.foundation.db import Database
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.valkey import ValkeyGone, open_valkey

from .fleet import Fleet
from .outside import Outside
from .verdict import Verdict, judge_database, judge_effects, judge_story

_GONE = (httpx.HTTPError, httpx.StreamError)


@dataclass(frozen=True, slots=True)
class Plan:
    """runs    orders to place, over all of `seconds`; a deploy comes in the middle
    followed   how many of them are watched from their start, each by a client of its own
    """

    runs: int = 1_000
    seconds: float = 90.0
    followed: int = 60
    seed: int = 0
    patience: float = 240.0


@dataclass(slots=True)
class Director:
    """One play; `perform` answers the verdict."""

    plan: Plan
    fleet: Fleet
    outside: Outside
    chance: random.Random
    hurts: Counter[str] = field(default_factory=Counter[str])
    accepted: list[str] = field(default_factory=list[str])
    stories: list[list[dict[str, Any]]] = field(default_factory=list[list[dict[str, Any]]])
    refusals: Counter[str] = field(default_factory=Counter[str])
    key: str = ""

    async def perform(self) -> Verdict:
        """All of it; what is broken in the end is in the verdict."""
        urls = await asyncio.to_thread(self.fleet.start)
        self.key = await _make_key(urls)
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            hurting = group.create_task(self._hurt())
            submitting = [group.create_task(self._submit(part, group)) for part in range(8)]
            group.create_task(self._deploy())
            await asyncio.wait([hurting, *submitting])
        verdict = Verdict()
        await self._await_ends(urls, verdict)
        verdict.facts["seconds"] = round(time.monotonic() - began, 1)
        origins = await asyncio.to_thread(judge_database, verdict, urls.database_admin_url, self.accepted)
        judge_effects(verdict, origins, self.outside.asked, self.outside.done)
        verdict.claim("streams followed to their end", len(self.stories), min(self.plan.followed, self.plan.runs))
        for story in self.stories:
            judge_story(verdict, story)
        verdict.facts["hurts"] = dict(self.hurts)
        verdict.facts["refused requests, repeated"] = dict(self.refusals)
        return verdict

    async def _submit(self, part: int, group: asyncio.TaskGroup) -> None:
        pause = self.plan.seconds / (self.plan.runs / 8)
        async with httpx.AsyncClient(timeout=10) as client:
            for number in range(part, self.plan.runs, 8):
                run = await self._place(client, number)
                self.accepted.append(run)
                if number < self.plan.followed:
                    group.create_task(self._follow(run))
                await asyncio.sleep(pause * self.chance.uniform(0.2, 1.2))

    async def _place(self, client: httpx.AsyncClient, number: int) -> str:
        """The run of an order, asked for until an answer comes; a repetition must answer the same run."""
        while True:
            url = f"{self.chance.choice(self.fleet.api_urls)}/v1/chaos"
            headers = {**self._headers, "idempotency-key": f"order-{number}"}
            try:
                answer = await client.post(url, json={"number": number}, headers=headers)
            except _GONE as gone:
                self.refusals[type(gone).__name__] += 1
            else:
                if answer.status_code == 202:
                    return answer.json()["id"]
                self.refusals[str(answer.status_code)] += 1
                assert answer.status_code in {429, 503}, answer.text
            await asyncio.sleep(0.1)

    async def _follow(self, run: str) -> None:
        """Read the whole story, from any API, coming back with the last id after every cut."""
        story: list[dict[str, Any]] = []
        async with httpx.AsyncClient(timeout=httpx.Timeout(10, read=30)) as client:
            while not story or story[-1]["type"] != "run.finished":
                last = {"last-event-id": story[-1]["id"]} if story else {}
                url = f"{self.chance.choice(self.fleet.api_urls)}/v1/runs/{run}/events"
                try:
                    async with client.stream("GET", url, headers=self._headers | last) as answer:
                        async for event in _events(answer):
                            story.append(event)  # noqa: PERF401 - what came before a cut must be kept
                except _GONE:
                    await asyncio.sleep(0.2)
        self.stories.append(story)

    async def _hurt(self) -> None:
        until, ways = time.monotonic() + self.plan.seconds, self.fleet.ways()
        names = [*ways, "wipe Valkey"]
        while time.monotonic() < until:
            await asyncio.sleep(self.chance.uniform(0.8, 2.2))
            name = self.chance.choice(names)
            self.hurts[name] += 1
            if name in ways:
                await asyncio.to_thread(ways[name], self.chance)
            else:
                await self._wipe()

    async def _wipe(self) -> None:
        try:
            await self.fleet.wipe_valkey()
        except ValkeyGone:
            self.hurts["wipe Valkey"] -= 1  # it is down already

    async def _deploy(self) -> None:
        await asyncio.sleep(self.plan.seconds / 2)
        await asyncio.to_thread(self.fleet.deploy)
        self.hurts["deploy"] += 1

    async def _await_ends(self, urls: EngineUrls, verdict: Verdict) -> None:
        """Until no run goes on any more, or nobody would wait longer."""
        until = time.monotonic() + self.plan.patience
        async with httpx.AsyncClient(timeout=10) as client:
            while time.monotonic() < until:
                try:
                    left = [
                        (await client.get(f"{self.fleet.api_urls[0]}/v1/runs?status={status}", headers=self._headers))
                        .raise_for_status()
                        .json()["items"]
                        for status in ("queued", "running")
                    ]
                except _GONE:
                    left = [[None]]
                if not any(left):
                    return
                await asyncio.sleep(0.5)
        verdict.broken.append(f"runs were left unfinished after {self.plan.patience:g} s")

    @property
    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}


async def _events(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    answer.raise_for_status()
    async for line in answer.aiter_lines():
        if line.startswith("data: "):
            yield msgspec.json.decode(line.removeprefix("data: "))


async def _make_key(urls: EngineUrls) -> str:
    database, valkey = await Database.open(urls.database_url, connections=2), open_valkey(urls.valkey_url)
    identity = Identity(database, valkey)
    try:
        tenant = await identity.create_tenant("chaos", "Chaos")
        made = await identity.keys.create(operator(tenant.id), name="chaos", scopes=ROLE_PERMISSIONS[Role.OWNER])
        return made.secret
    finally:
        await identity.close()
        await valkey.aclose()
        await database.close()


async def play(plan: Plan, folder: Path) -> Verdict:
    """Perform the plan in a folder; everything that was started is stopped."""
    chance = random.Random(plan.seed)
    outside = Outside(chance)
    await outside.start()
    fleet = Fleet(folder, outside.url)
    try:
        return await Director(plan, fleet, outside, chance).perform()
    finally:
        await asyncio.to_thread(fleet.stop)
        outside.stop()

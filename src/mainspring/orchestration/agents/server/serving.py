"""The agent server put together: one service for each kind of thing, over the runtime of agents."""

from collections.abc import Mapping
from dataclasses import dataclass

from mainspring.foundation.db import Database
from mainspring.foundation.outbox import Subscriber
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.agents.events import AgentRunFinished
from mainspring.orchestration.agents.ownership import Ownership
from mainspring.orchestration.agents.runtime import AgentRuntime
from mainspring.orchestration.pipelines import LiveEvents

from .assistants.service import Assistants
from .crons.service import Crons, fire_due_crons
from .graphs import Shapes
from .items.service import Items
from .posts import NoPosts, Posts
from .runs.service import RunDesk
from .runs.streaming import RunStreams
from .streams.commands import Commands
from .streams.feed import Feed, Followed
from .streams.joined import JoinedThread
from .streams.watch import ThreadWatch
from .threads.service import Threads
from .threads.states import States
from .webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class AgentServer:
    """What the routes stand on. `close` ends every open stream; `fire_crons` is for a worker's clock."""

    database: Database
    ownership: Ownership
    assistants: Assistants
    threads: Threads
    states: States
    shapes: Shapes
    desk: RunDesk
    streams: RunStreams
    commands: Commands
    joined: JoinedThread
    feed: Feed
    crons: Crons
    items: Items
    watch: ThreadWatch
    webhooks: Webhooks

    async def fire_crons(self) -> int:
        """Start the runs of crons whose time has come; how many. Call it every second or so, anywhere."""
        return await fire_due_crons(self.database, self.desk)

    def build_subscribers(self) -> Mapping[str, tuple[Subscriber, ...]]:
        """What is done when a run ended, for a worker's outbox."""
        return {AgentRunFinished.TOPIC: (self.webhooks.tell,)}

    async def close(self) -> None:
        """End every stream; clients resume elsewhere with the id they hold."""
        await self.watch.close()


def build_agent_server(
    database: Database, valkey: Valkey, live: LiveEvents, runtime: AgentRuntime, *, posts: Posts | None = None
) -> AgentServer:
    """The server over a runtime; no work is done yet.

    posts   how runs' webhooks go out; without it, runs that have one are refused
    """
    posts = posts or NoPosts()
    watch = ThreadWatch(valkey)
    states = States(database, runtime.graphs)
    ownership = Ownership(database)
    threads = Threads(database, runtime.runs, states, ownership)
    assistants = Assistants(database, runtime.agents)
    desk = RunDesk(database, runtime.runs, threads, watch, posts)
    feed = Feed(Followed(database, runtime.runs, threads, live, watch))
    return AgentServer(
        database=database,
        ownership=ownership,
        assistants=assistants,
        threads=threads,
        states=states,
        shapes=Shapes(runtime.graphs),
        desk=desk,
        streams=RunStreams(desk, feed),
        commands=Commands(desk, threads, states),
        joined=JoinedThread(threads, desk, feed),
        feed=feed,
        crons=Crons(database, assistants, threads, posts),
        items=Items(database),
        watch=watch,
        webhooks=Webhooks(runtime.runs, threads, states, posts),
    )

"""The test kit: a product in one process, on real engines, with a scripted model and a clock that you turn.

    async with running(product, replies=[ScriptedReply("Yes.")]) as kit:
        run = await kit.submit(review, Draft("..."))
        await kit.settle(run)                        # until it ended, or only waits
        await kit.pass_time(timedelta(days=7))       # a week in no time
        await kit.decide(run, "approve")             # as a reviewer who had no hand in it
        assert await kit.output(await kit.settle(run), "sign", Signed) == Signed(by="Ada")

        said = await kit.talk("clerk", "How long is the notice period?")
        async with kit.http() as http:               # the API with the product's routes
            assert (await http.post("/v1/letters", json={"text": "Hello."})).status_code == 202

The Postgres and the Valkey are the embedded ones and the steps are run by a true worker, so what a test shows holds in
production. Only the model is none: it says what it was told to say, and is served by HTTP like any other provider.
Webhooks and bridges are not delivered and documents are not looked after; for those, serve the whole.
"""

from mainspring.foundation.engines import EngineUrls
from mainspring.inference.gateway.testing import ScriptedProvider, ScriptedReply

from .clock import TurnedClock
from .kit import Kit, engines, running
from .talking import Said, asks_for

__all__ = [
    "EngineUrls",
    "Kit",
    "Said",
    "ScriptedProvider",
    "ScriptedReply",
    "TurnedClock",
    "asks_for",
    "engines",
    "running",
]

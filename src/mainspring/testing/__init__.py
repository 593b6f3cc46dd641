"""The test kit: a product in one process, on real engines, with a scripted model and a clock that you turn.

    async with running(product, replies=[ScriptedReply("Yes.")]) as kit:
        run = await kit.submit(review, Draft("..."))
        await kit.settle(run)                        # until it ended, or only waits
        await kit.pass_time(timedelta(days=7))       # a week in no time
        assert await kit.output(run, "sign", Signed) == Signed(by="Ada")

The Postgres and the Valkey are the embedded ones and the steps are run by a true worker, so what a test shows holds in
production. Only the model is none: it says what it was told to say, and is served by HTTP like any other provider.
"""

from mainspring.foundation.engines import EngineUrls
from mainspring.inference.gateway.testing import ScriptedProvider, ScriptedReply

from .clock import TurnedClock
from .kit import Kit, engines, running

__all__ = ["EngineUrls", "Kit", "ScriptedProvider", "ScriptedReply", "TurnedClock", "engines", "running"]

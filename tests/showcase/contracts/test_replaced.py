"""Analyses of before an upgrade end with a word, wherever they stood."""

import random
from typing import cast
from uuid import uuid4

import pytest

from mainspring.foundation.ids import TenantId, new_id
from mainspring.orchestration.pipelines.execute import Claim, execute
from mainspring.orchestration.pipelines.outcomes import Lease
from mainspring.orchestration.pipelines.pipeline import StepDefinition
from mainspring.orchestration.pipelines.step_run import LiveStepRun
from mainspring.orchestration.pipelines.types import RunId
from mainspring.showcase.contracts import build_replaced

_SUBMITTED = f'{{"contract": "{uuid4()}", "document": "{uuid4()}", "playbook": "customer", "playbook_version": 1}}'
_EARLIER = '{"parse": {"pages": null}, "chunk": {"clauses": 2}, "embed": {}, "classify": {"labels": []}, "assess": {}}'


@pytest.mark.parametrize("definition", build_replaced().steps, ids=lambda step: step.name)
async def test_every_step_of_an_analysis_of_before_gives_up_at_once(definition: StepDefinition):
    lease = Lease(TenantId(new_id()), RunId(new_id()), definition.name, "", uuid4(), 1)
    claim = Claim(lease, definition, seq=1, failures=0, submitted=_SUBMITTED, earlier=_EARLIER)
    outcome = await execute(claim, cast(LiveStepRun, object()), random.Random(1))
    assert outcome.failure is not None
    assert outcome.failure.code == "pipeline_replaced"
    assert "start it again" in outcome.failure.detail

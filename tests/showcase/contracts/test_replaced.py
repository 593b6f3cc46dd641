"""Analyses of before an upgrade end with a word, wherever they stood."""

from uuid import uuid4

import pytest

from mainspring.orchestration.pipelines import Abandon
from mainspring.orchestration.pipelines.codec import assemble
from mainspring.orchestration.pipelines.pipeline import StepDefinition
from mainspring.orchestration.pipelines.testing import RecordedStepRun
from mainspring.showcase.contracts import build_replaced

_SUBMITTED = f'{{"contract": "{uuid4()}", "document": "{uuid4()}", "playbook": "customer", "playbook_version": 1}}'
_EARLIER = '{"parse": {"pages": null}, "chunk": {"clauses": 2}, "embed": {}, "classify": {"labels": []}, "assess": {}}'


@pytest.mark.parametrize("definition", build_replaced().steps, ids=lambda step: step.name)
async def test_every_step_of_an_analysis_of_before_gives_up_at_once(definition: StepDefinition):
    given = assemble(definition, _SUBMITTED, _EARLIER)
    with pytest.raises(Abandon, match="start it again") as given_up:
        await definition.function(given, RecordedStepRun(definition.name))
    assert given_up.value.code == "pipeline_replaced"

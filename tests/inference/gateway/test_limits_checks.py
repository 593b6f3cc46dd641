"""What a policy's limits compile to, and where a call's spend belongs."""

from datetime import date
from uuid import uuid4

import pytest

from mainspring.foundation.ids import TenantId, new_id
from mainspring.inference.gateway.limits import ChecksMemo, Hold, Scopes, Subject, compile_checks, spend_subjects
from mainspring.inference.gateway.limits.keys import read_hold, state_suffix
from mainspring.inference.gateway.limits.types import month_of
from mainspring.inference.gateway.policy import Limit, TenantPolicy

TENANT = TenantId(uuid4())


def policy_of(*limits: Limit) -> TenantPolicy:
    return TenantPolicy(limits=limits)


def test_checks_are_compiled_once_per_policy_and_scopes() -> None:
    memo, policy = ChecksMemo(size=2), policy_of(Limit(scope="user", concurrency=5))
    first = memo.checks(policy, Scopes(TENANT, user="ann"))
    assert memo.checks(policy, Scopes(TENANT, user="ann")) is first
    assert memo.checks(policy, Scopes(TENANT, user="bob")) is not first
    assert memo.checks(policy_of(Limit(scope="user", concurrency=5)), Scopes(TENANT, user="ann")) is not first
    assert memo.checks(policy, Scopes(TENANT, user="ann")) is not first  # pushed out by the other two


def test_a_limit_applies_to_its_scope_and_match_only() -> None:
    policy = policy_of(
        Limit(scope="model", match="fast", concurrency=1), Limit(scope="user", concurrency=1), Limit(scope="tenant")
    )
    checks = compile_checks(policy, Scopes(TENANT, model="slow"))
    assert [check.subject for check in checks.entries] == [Subject("tenant", "")]
    assert not checks.is_held
    checks = compile_checks(policy, Scopes(TENANT, user="ann", model="fast"))
    assert [check.subject.scope for check in checks.entries] == ["model", "user", "tenant"]


def test_a_hold_can_be_read_from_its_text_whatever_its_values_are() -> None:
    values = ["", "a:b}{", "é" * 300, "\n\0"]
    policy = policy_of(*(Limit(scope=scope, concurrency=1) for scope in ("user", "key", "model", "feature")))
    hold = Hold(compile_checks(policy, Scopes(TENANT, *values)), new_id(), (1.0, 2.0, 3.0), b"")
    tenant, member, suffixes = read_hold(hold.text)
    assert (tenant, member) == (TENANT, hold.member)
    assert suffixes == [state_suffix(s, v) for s, v in zip(("user", "key", "model", "feature"), values, strict=True)]
    assert max(len(suffix) for suffix in suffixes) <= 70
    for broken in (b"", b"short", hold.text[:-1], hold.text + b"x"):
        with pytest.raises(ValueError, match="text of a hold"):
            read_hold(broken)


def test_spend_is_booked_under_every_scope_a_limit_can_have() -> None:
    assert spend_subjects(Scopes(TENANT, user="ann", model="fast")) == [
        Subject("tenant", ""),
        Subject("user", "ann"),
        Subject("model", "fast"),
    ]
    assert month_of(date(2031, 12, 5)) == (date(2031, 12, 1), date(2032, 1, 1))

"""What a policy means for one call, compiled once per policy and set of scopes.

Limits that meet in one scope and value share its state, so the smallest of each kind is what counts.
Everything of the script's call that is the same each time is in `Checks` as bytes, ready to be sent.
"""

import struct
from collections import OrderedDict
from dataclasses import dataclass

from mainspring.inference.gateway.policy import Limit, TenantPolicy

from .keys import MEMBER, TenantKeys, join_suffixes, state_suffix, tenant_keys
from .scripts import RESERVE, SETTLE
from .types import Kind, Scopes, Subject

NO_LIMIT = 10**15
_ROW = struct.Struct("<9d")
_VARYING_BYTES = 64
SETTLE_HEAD = struct.Struct("<5d")


@dataclass(frozen=True, slots=True)
class Check:
    """The limits of one scope and value, in the order of `Kind`; NO_LIMIT where none is set."""

    subject: Subject
    suffix: bytes
    limits: tuple[int, ...]
    soft_percent: int
    is_windowed: bool


@dataclass(frozen=True, slots=True)
class Checks:
    """All limits that apply to a call; with no `entries`, nothing is asked of Valkey.

    is_held    calls are held until they are settled: there is more to count than requests per minute
    has_budget a price must be known
    reserve, settle   the scripts' calls, without their last argument
    """

    policy: TenantPolicy
    scopes: Scopes
    tenant: bytes
    keys: TenantKeys
    entries: tuple[Check, ...]
    suffixes: bytes
    is_held: bool
    has_budget: bool
    reserve: bytes
    settle: bytes


def compile_checks(policy: TenantPolicy, scopes: Scopes) -> Checks:
    """Find the limits that apply; use `ChecksMemo` where calls are many."""
    met: dict[Subject, list[Limit]] = {}
    for limit in policy.limits:
        if (value := _value(limit.scope, scopes)) is not None and limit.match in ("*", value):
            subject = Subject(limit.scope, "" if limit.scope == "tenant" else value)
            met.setdefault(subject, []).append(limit)
    entries = tuple(_check(subject, limits) for subject, limits in met.items())
    keys = tenant_keys(scopes.tenant)
    suffixes = [check.suffix for check in entries]
    rows = b"".join([_ROW.pack(*check.limits, check.soft_percent, check.is_windowed) for check in entries])
    names = [keys.leases, keys.expired, *(keys.home + suffix for suffix in suffixes)]
    joined = join_suffixes(suffixes)
    return Checks(
        policy=policy,
        scopes=scopes,
        tenant=scopes.tenant.bytes,
        keys=keys,
        entries=entries,
        suffixes=joined,
        is_held=any(min(check.limits[1:]) < NO_LIMIT for check in entries),
        has_budget=any(min(check.limits[Kind.BUDGET_PER_DAY :]) < NO_LIMIT for check in entries),
        reserve=RESERVE.prepare(names, rows, joined, last_size=_VARYING_BYTES),
        settle=settle_call(keys, suffixes),
    )


def settle_call(keys: TenantKeys, suffixes: list[bytes]) -> bytes:
    """The call that settles a hold of these states, without its last argument."""
    names = [keys.leases, keys.expired, *(keys.home + suffix for suffix in suffixes)]
    return SETTLE.prepare(names, last_size=SETTLE_HEAD.size + MEMBER.size + len(join_suffixes(suffixes)))


def _value(scope: str, scopes: Scopes) -> str | None:
    value = getattr(scopes, scope)
    return None if value is None else str(value)


def _check(subject: Subject, limits: list[Limit]) -> Check:
    def least(name: str) -> int:
        return min((value for limit in limits if (value := getattr(limit, name)) is not None), default=NO_LIMIT)

    values = (
        least("requests_per_minute"),
        least("tokens_per_minute"),
        least("concurrency"),
        least("calls_per_day"),
        least("calls_per_month"),
        least("budget_per_day_micros"),
        least("budget_per_month_micros"),
    )
    return Check(
        subject=subject,
        suffix=state_suffix(*subject),
        limits=values,
        soft_percent=min(limit.soft_percent for limit in limits),
        is_windowed=min(values[Kind.CALLS_PER_DAY :]) < NO_LIMIT,
    )


class ChecksMemo:
    """Compiled checks by policy object and scopes; the least recently used are forgotten.

    Scopes that no limit of the policy looks at are left out first, so that what callers say of themselves
    fills nothing as long as no limit asks for it.
    """

    def __init__(self, size: int = 2_000) -> None:
        self._size = size
        self._kept: OrderedDict[tuple[int, Scopes], Checks] = OrderedDict()
        self._asked: dict[tuple[int, Scopes], Checks] = {}
        self._looks: dict[int, tuple[TenantPolicy, frozenset[str]]] = {}

    def checks(self, policy: TenantPolicy, scopes: Scopes) -> Checks:
        """As `compile_checks`, for those of the scopes that a limit looks at."""
        asked = (id(policy), scopes)
        found = self._asked.get(asked)
        if found is not None and found.policy is policy:
            return found
        if len(self._asked) >= self._size:
            self._asked.clear()
        found = self._asked[asked] = self._reduced(policy, scopes)
        return found

    def _reduced(self, policy: TenantPolicy, scopes: Scopes) -> Checks:
        names = self._looked_at(policy)
        scopes = Scopes(
            scopes.tenant,
            scopes.user if "user" in names else None,
            scopes.key if "key" in names else None,
            scopes.model if "model" in names else None,
            scopes.feature if "feature" in names else None,
        )
        key = (id(policy), scopes)  # the policy lives as long as its entry, so its id is not used again
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        found = self._kept[key] = compile_checks(policy, scopes)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return found

    def _looked_at(self, policy: TenantPolicy) -> frozenset[str]:
        known = self._looks.get(id(policy))
        if known is not None and known[0] is policy:
            return known[1]
        if len(self._looks) >= self._size:
            self._looks.clear()
        names = frozenset(limit.scope for limit in policy.limits)
        self._looks[id(policy)] = (policy, names)
        return names

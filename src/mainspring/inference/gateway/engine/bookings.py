"""Under which names a call is booked: the scopes of its limits, and the subjects of the books.

The model among them is one that serves, never the name that was asked: `auto` or an alias of several
models would be a way round the limits of each. It is that of the first candidate until another answers.
"""

from mainspring.inference.gateway.limits import Hold, Scopes, spend_subjects
from mainspring.inference.gateway.recorder import Books
from mainspring.inference.gateway.types import CallContext

_MOST_KEPT = 2_000
"""Contexts and models that are remembered: enough for the plain calls of as many keys."""

_DAY_MS = 86_400_000
_EPOCH_DAY = 719_163
"""1970-01-01 as a date's ordinal."""

Subjects = tuple[tuple[str, str], ...]
_kept: dict[tuple[int, str], tuple[CallContext, Scopes, Subjects]] = {}


def scopes_of(context: CallContext, model: str) -> tuple[Scopes, Subjects]:
    """What a call counts for, for the limits and for the books; the same for all plain calls of a key."""
    known = _kept.get((id(context), model))
    if known is not None and known[0] is context:
        return known[1], known[2]
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    key = str(context.key) if context.key else None
    scopes = Scopes(context.tenant, context.end_user, key, model, context.feature)
    subjects = tuple((subject.scope, subject.value) for subject in spend_subjects(scopes))
    _kept[id(context), model] = (context, scopes, subjects)
    return scopes, subjects


def books_of(subjects: Subjects, hold: Hold | None) -> Books:
    """Where a call is booked, on the day on which the limits count it."""
    if hold is None:
        return Books(subjects)
    return Books(subjects, int(hold.at // _DAY_MS) + _EPOCH_DAY, hold.text)

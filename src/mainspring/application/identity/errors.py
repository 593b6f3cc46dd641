"""The errors of identity, each with a code that a client can act on."""

from mainspring.foundation.errors import Conflict, Forbidden, RateLimited, Unauthenticated


class CsrfFailed(Forbidden):
    """A cookie came with a changing request, but not the token that proves our own page sent it."""

    code = "csrf_failed"


class OriginRefused(Forbidden):
    """A sign-in was sent by a page of another site."""

    code = "origin_refused"


class SignInRefused(Unauthenticated):
    """Email and password do not open the tenant; which of them is wrong is not said."""

    code = "sign_in_refused"


class SignInThrottled(RateLimited):
    """Too many attempts for one email or from one address."""

    code = "sign_in_throttled"


class SlugTaken(Conflict):
    """Another tenant has this short name."""

    code = "slug_taken"


class EmailTaken(Conflict):
    """There is an account with this email already."""

    code = "email_taken"


class AlreadyMember(Conflict):
    """The person is in the tenant already."""

    code = "already_member"


class TeamNameTaken(Conflict):
    """Another team of the tenant has this name, in whatever case."""

    code = "team_name_taken"


class TooManyTeams(Conflict):
    """The tenant has as many teams as it may have."""

    code = "too_many_teams"


class LastOwner(Conflict):
    """A tenant keeps at least one owner."""

    code = "last_owner"

"""How a call can be refused a route. `detail` names what was asked and why each deployment was left out.

NoRoute             422 no_route             no deployment can do what the call needs
+-- NoPermittedRoute  403 no_permitted_route   the tenant's policy leaves none: allow list or residency
+-- UnpricedModel     422 unpriced_model       a budget or cost ceiling holds, and no price is known
"""

from mainspring.foundation.errors import MainspringError


class NoRoute(MainspringError):
    """No deployment of the model fits the call; nothing was sent anywhere."""

    code = "no_route"
    status = 422


class NoPermittedRoute(NoRoute):
    """The tenant's allow list or residency leaves no deployment; nothing was sent anywhere."""

    code = "no_permitted_route"
    status = 403


class UnpricedModel(NoRoute):
    """Money is limited and the model's price is unknown, so that the limit could not be kept."""

    code = "unpriced_model"

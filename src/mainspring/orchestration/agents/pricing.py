"""What a reply of a model costs, as the gateway prices it, for the run's ceiling.

The inference record has the exact sum; a ceiling needs one at once. It is the price of the first deployment behind
the model's name, which is where a call goes unless that one is away.
"""

from mainspring.foundation.ids import TenantId
from mainspring.inference.gateway import Gateway
from mainspring.inference.messages import Usage


async def price(gateway: Gateway, tenant: TenantId, model: str | None, usage: Usage) -> int:
    """Micro-units of USD; 0 while no price is known."""
    engine = gateway.engine
    snapshot = engine.tenants.find(tenant) or await engine.tenants.get(tenant)
    deployments = engine.resolve(model, snapshot.policy).deployments
    tag = deployments[0].price if deployments else None
    return tag.cost(usage) if tag else 0

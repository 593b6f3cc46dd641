"""What may be asked for, and how long a call is: lists of models in both dialects, and the count of tokens."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote

from mainspring.foundation.errors import MainspringError, NotFound
from mainspring.inference.gateway.engine.engine import Engine
from mainspring.inference.gateway.models import Lifecycle, ListedModel
from mainspring.inference.gateway.policy import TenantPolicy
from mainspring.inference.gateway.providers.anthropic import models as anthropic_models
from mainspring.inference.gateway.providers.cards import ModelCard
from mainspring.inference.gateway.providers.dialects import Inbound
from mainspring.inference.gateway.providers.openai import models as openai_models
from mainspring.inference.gateway.providers.wire import to_json
from mainspring.inference.gateway.routing.types import Demand
from mainspring.inference.gateway.tokens import TOKENS_HEADER, estimate_input_tokens

from .callers import Callers
from .heads import JSON
from .http import ClientConnection, Request
from .reading import read_order


@dataclass(slots=True)
class Lists:
    """Answers that ask no model."""

    engine: Engine
    callers: Callers

    async def models(self, request: Request, connection: ClientConnection, inbound: Inbound) -> None:
        """Every model that the caller's tenant may use."""
        cards = list(self._listed(await self._policy(request)).values())
        if b"anthropic-version" not in request.headers:
            connection.reply(200, JSON, to_json(openai_models.encode_models(cards)))
            return
        query = dict(parse_qsl(request.target.partition(b"?")[2].decode("utf-8", "replace")))
        limit = query.get("limit", "20")
        page = anthropic_models.encode_models(
            cards,
            limit=int(limit) if limit.isdecimal() else 20,
            after_id=query.get("after_id"),
            before_id=query.get("before_id"),
        )
        connection.reply(200, JSON, to_json(page))

    async def model(self, request: Request, connection: ClientConnection, name: str) -> None:
        """One model, by its name or an alias; NotFound when the tenant may not use it."""
        name = unquote(name)
        policy = await self._policy(request)
        card = self._listed(policy).get(name) or self._find(name, policy)
        if card is None:
            raise NotFound(f"There is no model {name[:80]!r}; GET /v1/models lists those that there are.")
        encode = (
            anthropic_models.encode_model if b"anthropic-version" in request.headers else openai_models.encode_model
        )
        connection.reply(200, JSON, to_json(encode(card)))

    async def count_tokens(self, request: Request, connection: ClientConnection, inbound: Inbound) -> None:
        """How long a call is, by an estimate that says so."""
        await self.callers.identify(request.headers)
        order = read_order(request, inbound)
        tokens = estimate_input_tokens(order.request())
        head = JSON + f"{TOKENS_HEADER[0]}: {TOKENS_HEADER[1]}\r\n".encode()
        connection.reply(200, head, to_json(anthropic_models.encode_count(tokens)))

    async def _policy(self, request: Request) -> TenantPolicy:
        caller = await self.callers.identify(request.headers)
        return (await self.engine.tenants.get(caller.tenant)).policy

    def _listed(self, policy: TenantPolicy) -> dict[str, ModelCard]:
        """Every name that stands for a model, the operator's own aliases among them and before all others."""
        listed = self.engine.catalogue.list_models(policy, self.engine.today)
        cards = {name: _card(name, model) for model in listed for name in (model.name, *model.aliases)}
        own = {alias: self._find(alias, policy) for alias in self.engine.catalogue.names.aliases}
        return {name: card for name, card in (cards | own).items() if card is not None}

    def _find(self, name: str, policy: TenantPolicy) -> ModelCard | None:
        """What would answer to a name that no model bears, such as an alias; None when the tenant may not call it."""
        try:
            found = self.engine.resolve(name, policy)
        except MainspringError:
            return None
        allowed = self.engine.router.explain(found, Demand(), policy).candidates
        names = {each.name for each in allowed}
        first = next((each for each in found.deployments if each.name in names), None)
        if first is None:
            return None
        served = first.profile
        lifecycle = Lifecycle.DEPRECATED if found.warnings else Lifecycle.ACTIVE
        created = datetime.fromtimestamp(0, UTC)
        return ModelCard(
            name,
            created,
            first.endpoint.provider,
            name,
            lifecycle.value,
            None,
            served.context_tokens,
            served.max_output_tokens,
        )


def _card(name: str, model: ListedModel) -> ModelCard:
    retires = datetime.combine(model.retires_on, datetime.min.time(), UTC) if model.retires_on else None
    return ModelCard(
        name,
        datetime.fromtimestamp(0, UTC),
        model.providers[0],
        name,
        model.lifecycle.value,
        retires,
        model.context_tokens,
        model.max_output_tokens,
    )

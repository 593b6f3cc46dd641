"""A FastAPI product that summarised texts while its callers waited, and now lets Mainspring do it."""

from dataclasses import dataclass

from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.datastructures import Headers

from mainspring import Brought, Pipeline, Principal, Product, RunShape, Services, StepRun, run_shape
from mainspring.entry.beside import Beside


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Summary:
    first_sentence: str


def summarize_text(text: str) -> str:
    """What the product has always done; imagine a model here that takes a minute."""
    return text.partition(".")[0] + "."


# Step 1: the endpoint as it was. It keeps working.
existing = FastAPI()


class TextIn(BaseModel):
    text: str


@existing.post("/summaries")
async def summarize_at_once(body: TextIn) -> dict[str, str]:
    return {"summary": summarize_text(body.text)}


# Step 2: the same work as a step. Nothing else of the product changes.
summarize = Pipeline("notes.summarize", version=1)


@summarize.step("summarize", title="Summarise the text")
async def summarize_step(given: Text, run: StepRun) -> Summary:
    return Summary(summarize_text(given.text))


def build(services: Services) -> Brought:
    return Brought(pipelines=(summarize,))


product = Product("notes", title="Notes", build=build)


# Step 3: the product's own users may call Mainspring. Here they send their name; a session cookie does as well.
async def who(headers: Headers) -> Principal | None:
    user = headers.get("x-user")
    return app.member(await app.tenant("acme", "Acme"), user) if user else None


# Step 4: Mainspring beside the application; everything below /ai is its own.
app = Beside(existing, at="/ai", who=who, products=(product,))


# Step 5: a new endpoint that answers at once. Its caller follows /ai/v1/runs/<id>/events.
@existing.post("/v2/summaries", status_code=202)
async def summarize_later(body: TextIn, request: Request) -> RunShape:
    tenant = await app.tenant("acme", "Acme")
    key = request.headers.get("idempotency-key")
    run = await app.platform.orchestration.pipelines.submit(tenant, summarize, Text(body.text), idempotency_key=key)
    return run_shape(run)

"""The same for Flask, whose views are not async: they hand the call to the loop that Mainspring lives in."""

from dataclasses import dataclass

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from starlette.datastructures import Headers

from mainspring import Brought, Pipeline, Principal, Product, Services, StepRun, run_shape
from mainspring.entry.beside import Beside


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Summary:
    first_sentence: str


existing = Flask(__name__)


@existing.post("/summaries")
def summarize_at_once() -> ResponseReturnValue:
    text: str = request.get_json()["text"]
    return jsonify(summary=text.partition(".")[0] + ".")


summarize = Pipeline("notes.summarize", version=1)


@summarize.step("summarize", title="Summarise the text")
async def summarize_step(given: Text, run: StepRun) -> Summary:
    return Summary(given.text.partition(".")[0] + ".")


def build(services: Services) -> Brought:
    return Brought(pipelines=(summarize,))


product = Product("notes", title="Notes", build=build)


async def who(headers: Headers) -> Principal | None:
    user = headers.get("x-user")
    return app.member(await app.tenant("acme", "Acme"), user) if user else None


app = Beside(existing, at="/ai", who=who, products=(product,))


@existing.post("/v2/summaries")
def summarize_later() -> ResponseReturnValue:
    tenant = app.call(app.tenant, "acme", "Acme")
    run = app.call(app.platform.orchestration.pipelines.submit, tenant, summarize, Text(request.get_json()["text"]))
    return jsonify(run_shape(run).model_dump(mode="json")), 202

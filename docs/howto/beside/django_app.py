"""The same for Django, served as ASGI: async views await Mainspring, others use `app.call`."""

import json
from dataclasses import dataclass

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from starlette.datastructures import Headers

from mainspring import Brought, Pipeline, Principal, Product, Services, StepRun, run_shape
from mainspring.entry.beside import Beside

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="only for this example")  # noqa: S106
django.setup()


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Summary:
    first_sentence: str


def summarize_at_once(request: HttpRequest) -> JsonResponse:
    text: str = json.loads(request.body)["text"]
    return JsonResponse({"summary": text.partition(".")[0] + "."})


summarize = Pipeline("notes.summarize", version=1)


@summarize.step("summarize", title="Summarise the text")
async def summarize_step(given: Text, run: StepRun) -> Summary:
    return Summary(given.text.partition(".")[0] + ".")


def build(services: Services) -> Brought:
    return Brought(pipelines=(summarize,))


product = Product("notes", title="Notes", build=build)


async def summarize_later(request: HttpRequest) -> JsonResponse:
    tenant = await app.tenant("acme", "Acme")
    given = Text(json.loads(request.body)["text"])
    run = await app.platform.orchestration.pipelines.submit(tenant, summarize, given)
    return JsonResponse(run_shape(run).model_dump(mode="json"), status=202)


urlpatterns = [
    path("summaries", csrf_exempt(summarize_at_once)),
    path("v2/summaries", csrf_exempt(summarize_later)),
]


async def who(headers: Headers) -> Principal | None:
    user = headers.get("x-user")
    return app.member(await app.tenant("acme", "Acme"), user) if user else None


app = Beside(get_asgi_application(), at="/ai", who=who, products=(product,))

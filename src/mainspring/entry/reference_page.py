"""The API reference as one page without scripts: what `/openapi.json` says, for people.

The usual pages load their scripts from other hosts, where whoever serves them could act as the
person signed in here; they also stay blank without a network.
"""

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title} API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
code {{ font: .9em ui-monospace, monospace }} pre {{ white-space: pre-wrap; font: inherit; margin: .25rem 0 1rem }}
section {{ border-top: 1px solid #8884; padding-top: .5rem }} dt {{ float: left; clear: left; margin-right: 1ch }}
</style><h1>{title} API {version}</h1><pre>{description}</pre>
<p>For programs: <a href="/openapi.json">/openapi.json</a></p>"""


def add_reference_page(app: FastAPI) -> None:
    """Serve the page at `/docs`."""

    @app.get("/docs", include_in_schema=False)
    async def show_reference() -> HTMLResponse:
        return HTMLResponse("".join(_page(app.openapi())))


def _page(described: dict[str, Any]) -> Iterator[str]:
    about = described["info"]
    yield _HEAD.format(**{name: escape(about.get(name, "").strip()) for name in ("title", "version", "description")})
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield f"<section><h2><code>{method.upper()} {escape(path)}</code></h2>"
            yield f"<pre>{escape(operation.get('description', ''))}</pre><dl>"
            yield from map(_field, operation.get("parameters", []))
            yield from map(_body, operation.get("requestBody", {}).get("content", {}).items())
            yield "</dl></section>"


def _field(parameter: dict[str, Any]) -> str:
    about = parameter.get("description", "")
    return f"<dt><code>{escape(parameter['name'])}</code></dt><dd>{escape(parameter['in'])}. {escape(about)}</dd>"


def _body(content: tuple[str, dict[str, Any]]) -> str:
    kind, described = content
    schema = described.get("schema", {})
    name = str(schema.get("$ref") or (schema.get("anyOf") or [{}])[0].get("$ref", "")).rpartition("/")[2]
    return f"<dt><code>body</code></dt><dd>{escape(kind)} {escape(name)}</dd>"

"""One address for both local models: embeddings are answered here, chat is passed to llama.cpp.

Chat replies pass through unread as they come. When the caller goes away the connection to
llama.cpp is closed, and it stops generating.
"""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from mainspring.inference.gateway.providers.openai import encode_embeddings
from mainspring.inference.gateway.providers.wire import read_object, to_json
from mainspring.inference.gateway.types import Embeddings
from mainspring.inference.messages import Usage

from .assets import EMBEDDING_NAME
from .embedder import DIMENSIONS, Embedder

MAX_TEXTS = 2048
_CHAT_SECONDS = 600  # between two pieces; callers have limits of their own


class LocalModels:
    """The routes, over an embedder and the address of llama.cpp."""

    def __init__(self, embedder: Embedder, chat_url: str, chat_name: str) -> None:
        self._embedder = embedder
        self._chat_url = chat_url
        self._names = (chat_name, EMBEDDING_NAME)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embedder")
        self._http: httpx.AsyncClient | None = None

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/health", self._health),
                Route("/v1/models", self._models),
                Route("/v1/embeddings", self._embeddings, methods=["POST"]),
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
            ],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncGenerator[None]:
        async with httpx.AsyncClient(base_url=self._chat_url, timeout=_CHAT_SECONDS, trust_env=False) as self._http:
            yield
        self._thread.shutdown(cancel_futures=True)

    async def _health(self, _request: Request) -> Response:
        return _json({"status": "ok"})

    async def _models(self, _request: Request) -> Response:
        return _json({"object": "list", "data": [{"id": name, "object": "model"} for name in self._names]})

    async def _embeddings(self, request: Request) -> Response:
        body = read_object(await request.body()) or {}
        match body.get("input"):
            case str(text):
                texts = [text]
            case [*texts] if 0 < len(texts) <= MAX_TEXTS and all(isinstance(text, str) for text in texts):
                pass
            case _:
                return _refuse(f"input must be a text or a list of 1 to {MAX_TEXTS} texts")
        embeddings = await self._embed(texts)
        return _json(encode_embeddings(embeddings, as_base64=body.get("encoding_format") == "base64"))

    async def _embed(self, texts: list[str]) -> Embeddings:
        """Batch by batch on one thread, so that a long request does not hold up a short one to its end."""
        loop = asyncio.get_running_loop()
        batches = await loop.run_in_executor(self._thread, self._embedder.batches, texts)
        vectors, tokens = np.empty((len(texts), DIMENSIONS), dtype=np.float32), 0
        for batch in batches:
            vectors[list(batch.places)] = await loop.run_in_executor(self._thread, self._embedder.run, batch)
            tokens += sum(len(encoding.ids) for encoding in batch.encodings)
        return Embeddings(vectors, EMBEDDING_NAME, Usage(input_tokens=tokens))

    async def _chat(self, request: Request) -> Response:
        assert self._http is not None
        upstream = self._http.build_request(
            "POST", "/v1/chat/completions", content=await request.body(), headers={"content-type": "application/json"}
        )
        try:
            response = await self._http.send(upstream, stream=True)
        except httpx.TransportError:
            return _refuse("the language model does not answer", status=503, kind="unavailable_error")
        kept = {"content-type": response.headers.get("content-type", "application/json")}
        return StreamingResponse(_relay(response), response.status_code, kept)


async def _relay(response: httpx.Response) -> AsyncGenerator[bytes]:
    try:
        async for chunk in response.aiter_raw():
            yield chunk
    finally:
        await response.aclose()


def _json(content: Any, status: int = 200) -> Response:
    return Response(to_json(content), status, media_type="application/json")


def _refuse(message: str, *, status: int = 400, kind: str = "invalid_request_error") -> Response:
    return _json({"error": {"code": status, "message": message, "type": kind}}, status)

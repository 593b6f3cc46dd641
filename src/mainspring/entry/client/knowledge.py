"""Knowledge through the client: documents handed in, waited for, searched, listed and deleted.

submitted = client.knowledge.upload(Path("handbook.pdf"))
client.knowledge.wait(submitted)
for passage in client.knowledge.search("how long is the notice period?").passages:
    print(passage.document.name, passage.citation.quote)
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .knowledge_types import Answer, Document, DocumentChunk, DocumentSubmitted, DocumentText
from .paging import given, iter_items, path_of
from .stream import iter_events
from .transport import Transport

_PENDING = "pending"
_POLL_SECONDS = 0.2
_POLLS = 150  # a run's end reaches its document within a second or so


class KnowledgeClient:
    """The part of the client that is `client.knowledge`. Every method raises ApiError.

    readers in these methods are `user:usr_...`, `team:team_...`, `role:admin` or `key:key_...`. A key reads what is
    open to everybody or to the key itself.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def upload(self, path: Path, **said: Any) -> DocumentSubmitted:
        """Upload a file, to be indexed; `said` is as in `upload_bytes`. The same file again starts nothing."""
        return self.upload_bytes(path.read_bytes(), path.name, **said)

    def upload_bytes(
        self,
        content: bytes,
        name: str,
        *,
        external_id: str | None = None,
        document_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        readers: Sequence[str] | None = None,
    ) -> DocumentSubmitted:
        """As `upload`, for content that is not in a file.

        external_id    the document's name; other bytes under it are its next revision. None: told from the bytes
        document_type  which chunking of the settings it is cut by; None: told from the file
        readers        who may read it; None: everybody in the tenant
        """
        fields = given(
            external_id=external_id,
            document_type=document_type,
            metadata=None if metadata is None else json.dumps(dict(metadata)),
            readers=None if readers is None else list(readers),
        )
        return self._transport.read(
            DocumentSubmitted,
            "POST",
            "/v1/knowledge/documents",
            is_repeatable=True,
            files={"file": (name, content)},
            data=fields,
        )

    def put(
        self,
        source: str,
        external_id: str,
        content: bytes,
        *,
        metadata: Mapping[str, str] | None = None,
        readers: Sequence[str] | None = None,
        **said: str,
    ) -> DocumentSubmitted:
        """Put a document into a source of kind `push`; `said` is `name`, `document_type` and `uri`.

        The same bytes again start nothing; other bytes are the document's next revision. With metadata or readers
        it is sent as JSON, a third larger than its bytes, which counts against the API's limit.
        """
        path = path_of("knowledge", "sources", source, "documents", external_id)
        if metadata is None and readers is None:
            raw: dict[str, Any] = {"content": content, "params": said}
            return self._put(path, headers={"content-type": "application/octet-stream"}, **raw)
        named = given(metadata=metadata and dict(metadata), readers=None if readers is None else list(readers))
        return self._put(path, json={"content": base64.b64encode(content).decode(), **named, **said})

    def _put(self, path: str, **options: Any) -> DocumentSubmitted:
        return self._transport.read(DocumentSubmitted, "PUT", path, is_repeatable=True, **options)

    def take_away(self, source: str, external_id: str) -> None:
        """Delete a document of a source of kind `push`, by its name there."""
        self._transport.call("DELETE", path_of("knowledge", "sources", source, "documents", external_id))

    def wait(self, submitted: DocumentSubmitted) -> Document:
        """Follow the run to its end; the document as it is then: indexed, or failed with the reason in `error`."""
        if submitted.run is not None:
            for _ in iter_events(self._transport, path_of("runs", submitted.run.id, "events"), None):
                pass
        document = self.get(submitted.document.id)
        for _ in range(_POLLS):
            if document.status != _PENDING or (submitted.run and document.run != submitted.run.id):
                break
            self._transport.patience.sleep(_POLL_SECONDS)
            document = self.get(document.id)
        return document

    def search(
        self,
        text: str,
        *,
        mode: str | None = None,
        filters: Mapping[str, object] | None = None,
        limit: int | None = None,
        explain: bool = False,
        **wishes: Any,
    ) -> Answer:
        """Passages that answer a question, best first; none with a `reason` is an answer too.

        mode     `hybrid` (the default), `vector` or `text`
        filters  `sources`, `documents`, `document_types`, `labels`, `metadata`, `created`, `updated`, `language`
        wishes   `max_tokens`, `neighbours`, `rerank`, `rewrite`, `index`
        """
        body = given(text=text, mode=mode, filters=filters, limit=limit, explain=explain, **wishes)
        return self._transport.read(Answer, "POST", "/v1/knowledge/search", is_repeatable=True, json=body)

    def iter_documents(
        self,
        *,
        source: str | None = None,
        status: str | None = None,
        name_contains: str | None = None,
        page_size: int = 50,
    ) -> Iterator[Document]:
        """Documents that the key may see, newest first."""
        options = {"source": source, "status": status, "q": name_contains, "limit": page_size}
        return iter_items(self._transport, Document, "/v1/knowledge/documents", options)

    def get(self, document: str) -> Document:
        """One document."""
        return self._transport.read(Document, "GET", path_of("knowledge", "documents", document))

    def get_text(self, document: str, *, revision: int | None = None) -> DocumentText:
        """The parsed text with its structure; default: of the newest revision."""
        path = path_of("knowledge", "documents", document, "text")
        return self._transport.read(DocumentText, "GET", path, params=given(revision=revision))

    def iter_chunks(self, document: str, *, page_size: int = 50) -> Iterator[DocumentChunk]:
        """What is embedded and found of a document, in the order of its text."""
        path = path_of("knowledge", "documents", document, "chunks")
        return iter_items(self._transport, DocumentChunk, path, {"limit": page_size})

    def download(self, document: str) -> bytes:
        """The bytes that came in."""
        return self._transport.call("GET", path_of("knowledge", "documents", document, "file")).content

    def index_again(self, document: str) -> DocumentSubmitted:
        """Try a failed document again, or index one anew by the present settings."""
        path = path_of("knowledge", "documents", document, "runs")
        return self._transport.read(DocumentSubmitted, "POST", path)

    def set_readers(self, document: str, readers: Sequence[str] | None) -> Document:
        """Say who may read a document, from the next request on; None is everybody in the tenant."""
        path = path_of("knowledge", "documents", document, "readers")
        body = {"readers": None if readers is None else list(readers)}
        return self._transport.read(Document, "PUT", path, is_repeatable=True, json=body)

    def delete(self, document: str) -> None:
        """Delete a document everywhere."""
        self._transport.call("DELETE", path_of("knowledge", "documents", document))

"""HTTP: the push API. A program puts its documents under names of its own, and takes them away by these."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from mainspring.foundation.http import CurrentPrincipal
from mainspring.orchestration.knowledge.documents import NewDocument
from mainspring.orchestration.knowledge.schemas.documents import (
    MAX_EXTERNAL_ID,
    MAX_NAME,
    DocumentSubmitted,
    PushedDocument,
    RawDocument,
)
from mainspring.orchestration.knowledge.schemas.shape import NO_NUL
from mainspring.orchestration.knowledge.services import KnowledgeServices

from .access import EDIT
from .documents import SAME, answer_submission, check_size

ExternalId = Annotated[
    str, Path(min_length=1, max_length=MAX_EXTERNAL_ID, pattern=NO_NUL, description="may hold slashes")
]


def add_push(router: APIRouter, knowledge: KnowledgeServices, max_upload_bytes: int) -> None:
    """Both routes below /v1/knowledge/sources/{source}/documents."""

    @router.put(
        "/sources/{source}/documents/{external_id:path}", status_code=202, responses=SAME, openapi_extra=_described()
    )
    async def put_document(
        request: Request,
        response: Response,
        principal: CurrentPrincipal,
        source: str,
        external_id: ExternalId,
        raw: Annotated[RawDocument, Query()],
    ) -> DocumentSubmitted:
        """Put a document into a source of kind `push`, as raw bytes or as JSON; the same bytes again change nothing.

        Changed bytes are the document's next revision; the one before is found until it is indexed. Needs
        `knowledge.edit`. Errors: `not_found` (404) and `invalid_source` (422) for a source that takes no documents,
        `document_closed` (403) for a name whose document is closed to the caller, `too_large` (413), and those of
        files that cannot be read.
        """
        principal.require(EDIT)
        body = await request.body()
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
            new = _from_json(_read_json(body), source, external_id)
        else:
            name = raw.name or _last_part(external_id)
            new = NewDocument(source, external_id, name, body, document_type=raw.document_type, uri=raw.uri)
        check_size(len(new.content), max_upload_bytes, new.name)
        return answer_submission(principal, await knowledge.intake.add(principal, new), response)

    @router.delete("/sources/{source}/documents/{external_id:path}", status_code=204)
    async def take_document_away(principal: CurrentPrincipal, source: str, external_id: ExternalId) -> None:
        """Delete a document of a source of kind `push` everywhere, by its name there. Needs `knowledge.edit`."""
        principal.require(EDIT)
        await knowledge.intake.remove(principal, source, external_id)


def _described() -> dict[str, Any]:
    kinds = {
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        "application/json": {"schema": PushedDocument.model_json_schema()},
    }
    return {"requestBody": {"required": True, "content": kinds}}


def _read_json(body: bytes) -> PushedDocument:
    try:
        return PushedDocument.model_validate_json(body)
    except ValidationError as bad:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in bad.errors()]) from None


def _from_json(pushed: PushedDocument, source: str, external_id: str) -> NewDocument:
    return NewDocument(
        source,
        external_id,
        pushed.name or _last_part(external_id),
        pushed.bytes,
        document_type=pushed.document_type,
        uri=pushed.uri,
        metadata=pushed.metadata,
        readers=None if pushed.readers is None else tuple(pushed.readers),
    )


def _last_part(external_id: str) -> str:
    return external_id.rstrip("/").rsplit("/", 1)[-1][-MAX_NAME:] or "document"

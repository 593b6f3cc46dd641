"""HTTP: hand documents in, list, read and delete them, index them again, say who reads them."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Response, UploadFile

from mainspring.foundation.errors import TooLarge
from mainspring.foundation.http import CurrentPrincipal, Paging
from mainspring.foundation.pagination import Page, cut_page, make_cursor
from mainspring.foundation.principal import Principal
from mainspring.orchestration.knowledge.documents import NewDocument
from mainspring.orchestration.knowledge.ingestion import Submission
from mainspring.orchestration.knowledge.schemas.documents import (
    ChunkPage,
    DocumentPage,
    DocumentShape,
    DocumentSubmitted,
    DocumentText,
    ReadersChange,
    UploadedDocument,
    read_metadata,
    show_document,
    show_documents,
    show_submitted,
    show_text,
)
from mainspring.orchestration.knowledge.schemas.shape import show_chunk
from mainspring.orchestration.knowledge.services import KnowledgeServices
from mainspring.orchestration.knowledge.types import DocumentStatus

from .access import EDIT, MANAGE, VIEW, document_id, may_open, overseer_of, reader_of

SAME: dict[int | str, dict[str, Any]] = {
    200: {"model": DocumentSubmitted, "description": "The same bytes were here under this name; nothing to do"}
}


def add_documents(router: APIRouter, knowledge: KnowledgeServices, max_upload_bytes: int) -> None:
    """Every route below /v1/knowledge/documents."""
    _add_submitting(router, knowledge, max_upload_bytes)
    _add_listing(router, knowledge)
    _add_content(router, knowledge)
    _add_changing(router, knowledge)


def answer_submission(principal: Principal, submission: Submission, response: Response) -> DocumentSubmitted:
    """202 with the run that indexes the document; 200 when there is nothing to do."""
    document = submission.document
    shown = show_submitted(document, submission.run, readable=may_open(principal, document))
    response.headers["location"] = f"/v1/knowledge/documents/{shown.document.id}"
    if submission.run is None:
        response.status_code = 200
    return shown


def check_size(size: int, max_upload_bytes: int, name: str) -> None:
    """Raise TooLarge for content over the limit."""
    if size > max_upload_bytes:
        limit = max_upload_bytes // 1_000_000
        raise TooLarge(f"{name} is over the limit of {limit} MB: split it, or raise MAINSPRING_MAX_UPLOAD_MEGABYTES.")


def _add_submitting(router: APIRouter, knowledge: KnowledgeServices, max_upload_bytes: int) -> None:
    @router.post("/documents", status_code=202, responses=SAME)
    async def upload_document(
        principal: CurrentPrincipal,
        response: Response,
        form: Annotated[UploadedDocument, Form(media_type="multipart/form-data")],
    ) -> DocumentSubmitted:
        """Upload a document, to be parsed, cut and indexed. Answers at once; follow `stream_url`.

        The same bytes under the same name again change nothing and answer 200, so the request may be repeated.
        Needs `knowledge.edit`. Errors: `too_large` (413), `unsupported_type` (415), and those of files that
        cannot be read, such as `encrypted_pdf` (422).
        """
        principal.require(EDIT)
        new = await _read(form, max_upload_bytes)
        return answer_submission(principal, await knowledge.intake.add(principal, new), response)


def _add_listing(router: APIRouter, knowledge: KnowledgeServices) -> None:
    @router.get("/documents")
    async def list_documents(
        principal: CurrentPrincipal,
        paging: Paging,
        source: Annotated[str | None, Query(max_length=60)] = None,
        status: DocumentStatus | None = None,
        q: Annotated[str | None, Query(max_length=200, description="part of the name or title")] = None,
    ) -> DocumentPage:
        """Documents that are open to the caller, newest first; with `knowledge.manage` the closed ones too.

        Needs `knowledge.view`.
        """
        principal.require(VIEW)
        page = await knowledge.documents.list_page(
            principal.tenant, paging, source=source, status=status, name=q, reader=overseer_of(principal)
        )
        return show_documents(page, {each.id: may_open(principal, each) for each in page.items})

    @router.get("/documents/{document}")
    async def get_document(principal: CurrentPrincipal, document: str) -> DocumentShape:
        """One document and how its indexing stands. Needs `knowledge.view`."""
        principal.require(VIEW)
        found = await knowledge.documents.get(overseer_of(principal), document_id(document))
        return show_document(found, readable=may_open(principal, found))


def _add_content(router: APIRouter, knowledge: KnowledgeServices) -> None:
    @router.get("/documents/{document}/file", response_class=Response)
    async def download_document(principal: CurrentPrincipal, document: str) -> Response:
        """The newest bytes as they came in, for readers of the document. Needs `knowledge.view`."""
        principal.require(VIEW)
        reader, identifier = reader_of(principal), document_id(document)
        found = await knowledge.documents.get(reader, identifier)
        content = await knowledge.documents.read_original(reader, identifier)
        disposition = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"
        return Response(content, media_type=found.media_type, headers={"content-disposition": disposition})

    @router.get("/documents/{document}/text")
    async def get_document_text(
        principal: CurrentPrincipal,
        document: str,
        revision: Annotated[int | None, Query(ge=1, description="default: the one that searches find")] = None,
    ) -> DocumentText:
        """The parsed text with its structure and the places of its lines, for readers of the document.

        Without `revision` it is the text that chunks and search hits point into; the newest before there is one.
        Needs `knowledge.view`. Errors: `document_not_parsed` (409) before parsing has finished; `not_found`
        (404) for a revision that is neither the newest nor the one that is searched.
        """
        principal.require(VIEW)
        reader, identifier = reader_of(principal), document_id(document)
        found = await knowledge.documents.get(reader, identifier)
        searched = await knowledge.overview.searched_revision(principal.tenant, identifier)
        shown = revision or searched or found.revision
        return show_text(found, await knowledge.documents.get_parsed(reader, identifier, revision=shown), shown)

    @router.get("/documents/{document}/chunks")
    async def list_document_chunks(principal: CurrentPrincipal, document: str, paging: Paging) -> ChunkPage:
        """What is embedded and found of the document, in the order of its text, for readers of the document.

        Before the first revision is indexed: what it was cut into. Needs `knowledge.view`.
        """
        principal.require(VIEW)
        (after,) = paging.key(int)
        chunks = await knowledge.indexes.list_chunks(reader_of(principal), document_id(document))
        rest = chunks[max(0, after + 1) :] if after is not None else chunks
        shown, has_more = cut_page(rest[: paging.limit + 1], paging)
        page = Page(tuple(shown), make_cursor(str(shown[-1].index)) if has_more else None)
        return ChunkPage(items=[show_chunk(each) for each in page.items], next_cursor=page.next_cursor)


def _add_changing(router: APIRouter, knowledge: KnowledgeServices) -> None:
    @router.delete("/documents/{document}", status_code=204)
    async def delete_document(principal: CurrentPrincipal, document: str) -> None:
        """Delete a document everywhere: rows, vectors, files, kept replies. Needs `knowledge.edit`."""
        principal.require(EDIT)
        await knowledge.ingestion.delete(principal, document_id(document))

    @router.post("/documents/{document}/runs", status_code=202)
    async def index_document_again(principal: CurrentPrincipal, document: str, response: Response) -> DocumentSubmitted:
        """Try a failed document again, or index one anew by the present settings. Needs `knowledge.edit`."""
        principal.require(EDIT)
        submission = await knowledge.ingestion.retry(principal, document_id(document))
        return answer_submission(principal, submission, response)

    @router.put("/documents/{document}/readers")
    async def set_document_readers(principal: CurrentPrincipal, document: str, body: ReadersChange) -> DocumentShape:
        """Say who may read the document, from the next request on. Needs `knowledge.manage`."""
        principal.require(MANAGE)
        readers = None if body.readers is None else tuple(body.readers)
        changed = await knowledge.documents.set_readers(principal.tenant, document_id(document), readers)
        return show_document(changed, readable=may_open(principal, changed))


async def _read(form: UploadedDocument, max_upload_bytes: int) -> NewDocument:
    content, name = await form.file.read(max_upload_bytes + 1), _name(form.file)
    check_size(len(content), max_upload_bytes, name)
    return NewDocument(
        source=form.source,
        external_id=form.external_id,
        name=name,
        content=content,
        document_type=form.document_type,
        uri=form.uri,
        metadata=read_metadata(form.metadata),
        readers=None if form.readers is None else tuple(form.readers),
    )


def _name(file: UploadFile) -> str:
    """The file's own name, without folders and control characters, of at most 200 characters."""
    name = (file.filename or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in name if letter.isprintable()).strip()[-200:] or "document"

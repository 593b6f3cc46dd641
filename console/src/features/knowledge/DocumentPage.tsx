import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { asApiError } from "@/api/problem";
import { Badge, buttonClass, Card, count, Failure, fileSize, Icon, Loading, Notice, Page, Segments, SkeletonLines, State } from "@/design";
import { DocumentMenu } from "./documents/DocumentMenu";
import { StatusCell } from "./documents/StatusCell";
import { chunksQuery, documentQuery, originalFile, textQuery } from "./queries";
import { TextView } from "./reading/TextView";
import type { DocumentText, KnowledgeDocument, Place } from "./shapes";
import type { DocumentView } from "./view";
import s from "./knowledge.module.css";

interface Props {
  documentId: string;
  view: DocumentView;
  onView: (change: DocumentView) => void;
  onDeleted: () => void;
}

/** A document's text, opened at a place when there is one. */
export function DocumentPage({ documentId, view, onView, onDeleted }: Props) {
  const document = useQuery(documentQuery(documentId));
  if (document.data === undefined) {
    return (
      <Page>
        {document.isError ? <Failure what="The document" error={document.error} onRetry={() => void document.refetch()} /> : <Loading label="Loading the document"><SkeletonLines count={12} /></Loading>}
      </Page>
    );
  }
  return (
    <>
      <DocumentHeader document={document.data} onDeleted={onDeleted} />
      <DocumentReader document={document.data} view={view} onView={onView} />
    </>
  );
}

function DocumentHeader({ document, onDeleted }: { document: KnowledgeDocument; onDeleted: () => void }) {
  const facts = [document.title === null ? null : document.name, document.source, document.document_type, document.pages === null ? null : count(document.pages, "page"), fileSize(document.size_bytes)].filter(Boolean).join(", ");
  return (
    <header className={s.header}>
      <div className={s.headerMain}>
        <Link to="/knowledge" className={s.back}><Icon name="left" size={14} /> Knowledge</Link>
        <h1>{document.title ?? document.name}</h1>
        <p>{facts}</p>
      </div>
      <div className={s.headerSide}>
        {document.status === "failed" ? <Badge tone="critical" icon="warning">Failed</Badge> : <StatusCell document={document} live />}
        {document.readable && <a className={buttonClass("plain")} href={originalFile(document.id)} download><Icon name="download" /> Original</a>}
        <DocumentMenu document={document} onDeleted={onDeleted} />
      </div>
    </header>
  );
}

/** The text that a place points into: while a newer revision is on its way, the one that is searched. */
function revisionOf({ status, revision }: KnowledgeDocument, isPlaced: boolean): number {
  return isPlaced && status !== "indexed" && revision > 1 ? revision - 1 : revision;
}

function DocumentReader({ document, view, onView }: { document: KnowledgeDocument; view: DocumentView; onView: (change: DocumentView) => void }) {
  const place = placeOf(view);
  const revision = revisionOf(document, place !== null);
  const text = useQuery({ ...textQuery(document.id, revision), enabled: document.readable });
  if (!document.readable) return <Page><Card><State icon="lock" title="Not open to you"><p>You see its name because you manage knowledge. Its text is for its readers; you may change who they are.</p></State></Card></Page>;
  if (text.data !== undefined) {
    return (
      <>
        {revision !== document.revision && <div className={s.pad}><Notice tone="medium">A newer revision is on its way. This is the one that is searched.</Notice></div>}
        <Reader text={text.data} document={document} place={place} view={view} onView={onView} />
      </>
    );
  }
  return <Page><Card>{text.isError ? <Unread document={document} error={text.error} onRetry={() => void text.refetch()} /> : <Loading label="Loading the text"><SkeletonLines count={14} /></Loading>}</Card></Page>;
}

function Unread({ document, error, onRetry }: { document: KnowledgeDocument; error: Error; onRetry: () => void }) {
  if (asApiError(error).code !== "document_not_parsed") return <Failure what="The text" error={error} onRetry={onRetry} />;
  if (document.status === "failed") return <State icon="warning" tone="critical" title="It could not be read"><StatusCell document={document} live={false} /></State>;
  return <State icon="clock" title="It has not been read yet" role="status"><p>Its text shows here as soon as that is done.</p></State>;
}

function placeOf({ start, end }: DocumentView): Place | null {
  return start === undefined || end === undefined || end <= start ? null : { start, end };
}

function Reader({ text, document, place, view, onView }: { text: DocumentText; document: KnowledgeDocument; place: Place | null; view: DocumentView; onView: (change: DocumentView) => void }) {
  const isChunked = view.chunks === "shown";
  const chunks = useQuery({ ...chunksQuery(document.id, document.revision), enabled: isChunked });
  return (
    <section className={s.reader} aria-label="Text">
      <div className={s.readerBar}>
        <Outline text={text} />
        <Segments label="Borders of chunks" value={isChunked ? "shown" : "hidden"} onChange={(value) => { onView({ chunks: value === "shown" ? "shown" : undefined }); }} options={[{ value: "hidden", label: "Text" }, { value: "shown", label: "With chunks" }]} />
        {chunks.data !== undefined && isChunked && <span role="status">{count(chunks.data.length, "chunk")}</span>}
        {chunks.error !== null && isChunked && <span role="alert">{chunks.error.message}</span>}
      </div>
      {text.warnings.length > 0 && <div className={s.pad}><Notice tone="medium">{text.warnings.map((warning) => <p key={warning}>{warning}</p>)}</Notice></div>}
      <TextView text={text} place={place} chunks={isChunked ? chunks.data : undefined} label={`Text of ${document.name}`} className={s.readerText} />
    </section>
  );
}

/** Jumps to a heading; a plain select, which serves the keyboard and phones too. */
function Outline({ text }: { text: DocumentText }) {
  const headings = text.blocks.filter(({ kind }) => kind === "heading").slice(0, 500);
  if (headings.length < 2) return <span />;
  const characters = Array.from(text.text);
  return (
    <select
      className={s.outline}
      aria-label="Go to a heading"
      value=""
      onChange={(event) => { window.document.querySelectorAll("article h3[data-start]").item(Number(event.target.value)).scrollIntoView({ block: "start" }); }}
    >
      <option value="">Go to</option>
      {headings.map(({ start, end }, index) => <option key={start} value={index}>{characters.slice(start, Math.min(end, start + 70)).join("")}</option>)}
    </select>
  );
}

/** The text of a document alone, for a page that has a header of its own. */
export function PlacedText({ documentId, view, onView }: { documentId: string; view: DocumentView; onView: (change: DocumentView) => void }) {
  const document = useQuery(documentQuery(documentId));
  if (document.data !== undefined) return <DocumentReader document={document.data} view={view} onView={onView} />;
  return <Page>{document.isError ? <Failure what="The text" error={document.error} onRetry={() => void document.refetch()} /> : <Loading label="Loading the text"><SkeletonLines count={12} /></Loading>}</Page>;
}

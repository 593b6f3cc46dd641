import { Link } from "@tanstack/react-router";
import { ago, atTime, Card, count, fileSize, Icon, Loading, Skeleton } from "@/design";
import { spokenReaders, type Subjects, useSubjects } from "../readers";
import type { KnowledgeDocument } from "../shapes";
import { fileKind } from "../words";
import { DocumentMenu } from "./DocumentMenu";
import { StatusCell } from "./StatusCell";
import s from "./documents.module.css";

/** So many are followed by their own stream: a browser holds six lines to a server. The rest are asked for. */
const LIVE = 3;

export function DocumentTable({ documents, stale }: { documents: KnowledgeDocument[]; stale: boolean }) {
  const subjects = useSubjects();
  const live = new Set(documents.filter(({ status, stream_url }) => status === "pending" && stream_url !== null).slice(-LIVE).map(({ id }) => id));
  return (
    <Card pad={false} className={s.tableCard}>
      <table className={s.table} aria-busy={stale || undefined} data-stale={stale || undefined}>
        <caption className="visually-hidden">Documents, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Document</th>
            <th scope="col">Status</th>
            <th scope="col">Source</th>
            <th scope="col">Readers</th>
            <th scope="col">Changed</th>
            <th scope="col"><span className="visually-hidden">Actions</span></th>
          </tr>
        </thead>
        <tbody>{documents.map((document) => <DocumentRow key={document.id} document={document} live={live.has(document.id)} subjects={subjects} />)}</tbody>
      </table>
    </Card>
  );
}

function DocumentRow({ document, live, subjects }: { document: KnowledgeDocument; live: boolean; subjects: Subjects }) {
  const facts = [document.pages === null ? null : count(document.pages, "page"), fileSize(document.size_bytes), document.document_type].filter(Boolean).join(", ");
  const title = document.title ?? document.name;
  return (
    <tr data-status={document.status}>
      <td className={s.nameCell}>
        <div className={s.name}>
          <span className={s.fileIcon} aria-hidden>{fileKind(document)}</span>
          <div>
            {document.readable ? <Link className={s.rowLink} to="/knowledge/documents/$documentId" params={{ documentId: document.id }}>{title}</Link> : <span className={s.closed}><Icon name="lock" size={13} label="Not open to you" /> {title}</span>}
            <span className={s.sub}>{document.title === null ? facts : `${document.name}, ${facts}`}</span>
          </div>
        </div>
      </td>
      <td className={s.statusCell}><StatusCell document={document} live={live} /></td>
      <td className={s.soft} data-label="Source">{document.source}</td>
      <td className={s.soft} data-label="Readers">{spokenReaders(document.readers, subjects)}</td>
      <td className={s.soft} data-label="Changed"><time dateTime={document.updated_at} title={atTime(document.updated_at)}>{ago(document.updated_at)}</time></td>
      <td className={s.menuCell}><DocumentMenu document={document} /></td>
    </tr>
  );
}

export function TableSkeleton() {
  return (
    <Loading label="Loading the documents">
      <Card pad={false} className={s.tableCard}>
        {[62, 48, 71, 40, 55].map((width) => (
          <div key={width} className={s.skeletonRow}>
            <Skeleton width={34} height={34} />
            <Skeleton width={`${width}%`} />
            <Skeleton width={84} height={20} />
          </div>
        ))}
      </Card>
    </Loading>
  );
}

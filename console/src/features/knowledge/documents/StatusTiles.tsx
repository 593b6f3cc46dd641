import { useQuery } from "@tanstack/react-query";
import { useAllowance } from "@/api/session";
import { ago, Button, Card, count, Failure, Loading, SkeletonLines, Text, toast } from "@/design";
import { statusQuery, useDocumentChanges } from "../queries";
import type { DocumentStatus, FailureCause, KnowledgeStatus } from "../shapes";
import { advice, causeOf } from "../words";
import type { Viewed } from "../view";
import s from "./tiles.module.css";

/** How all documents stand, each figure a filter; below, why some failed. */
export function StatusTiles({ view, onView }: Viewed) {
  const status = useQuery(statusQuery);
  if (status.isError && status.data === undefined) return <Card><Failure what="The state of the knowledge" error={status.error} onRetry={() => void status.refetch()} /></Card>;
  if (status.data === undefined) return <Loading label="Loading the state of the knowledge"><Card><SkeletonLines count={2} /></Card></Loading>;
  return (
    <>
      <Figures status={status.data} shown={view.status} onShow={(wanted) => { onView({ status: wanted }); }} />
      {status.data.failures.length > 0 && <Failures causes={status.data.failures} />}
    </>
  );
}

function Figures({ status, shown, onShow }: { status: KnowledgeStatus; shown: DocumentStatus | undefined; onShow: (status: DocumentStatus | undefined) => void }) {
  const { indexed, pending, failed } = status.documents;
  const waiting = status.queue.oldest_at === null ? "none waits" : `the oldest since ${ago(status.queue.oldest_at)}`;
  const tile = (name: string, value: number, hint: string, meant: DocumentStatus) => (
    <button type="button" className={s.tile} data-alarm={(meant === "failed" && value > 0) || undefined} aria-pressed={shown === meant} onClick={() => { onShow(shown === meant ? undefined : meant); }}>
      <span>{name}</span>
      <strong>{value.toLocaleString("en")}</strong>
      <small>{hint}</small>
    </button>
  );
  return (
    <div className={s.tiles} role="group" aria-label="Documents by status">
      {tile("Indexed", indexed, `of ${count(indexed + pending + failed, "document")}`, "indexed")}
      {tile("In the queue", pending, waiting, "pending")}
      {tile("Failed", failed, failed === 0 ? "none" : count(status.failures.length, "cause"), "failed")}
      <div className={s.tile}>
        <span>Passages</span>
        <strong>{status.chunks.toLocaleString("en")}</strong>
        <small>in the index that is searched</small>
      </div>
    </div>
  );
}

function Failures({ causes }: { causes: readonly FailureCause[] }) {
  return (
    <Card pad={false} label="Failures by cause">
      <ul className={s.causes}>{causes.map((cause) => <Cause key={cause.code} cause={cause} />)}</ul>
    </Card>
  );
}

function Cause({ cause }: { cause: FailureCause }) {
  const may = useAllowance("knowledge.edit");
  const { againFor } = useDocumentChanges();
  const retry = () => {
    againFor.mutate(cause.code, {
      onSuccess: (many) => { toast(many === 0 ? "None of them is open to you" : `${count(many, "document")} tried again`); },
      onError: (error) => { toast(error.message, { tone: "critical" }); },
    });
  };
  return (
    <li>
      <div>
        <strong>{causeOf(cause.code)}</strong> <Text tone="faint" size="s">{count(cause.documents, "document")}</Text>
        {cause.example && <p>{!cause.example.detail.startsWith(cause.example.name) && <b>{cause.example.name}: </b>}{cause.example.detail}</p>}
        <Text as="p" tone="faint" size="s">{advice(cause.code)}</Text>
      </div>
      <Button size="s" icon="refresh" busy={againFor.isPending} denied={may.reason} aria-label={`Try again: ${causeOf(cause.code)}`} onClick={retry}>Try again</Button>
    </li>
  );
}

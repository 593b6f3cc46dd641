import { useQueryClient } from "@tanstack/react-query";
import { useAllowance } from "@/api/session";
import { Badge, Button, Spinner, toast } from "@/design";
import { ALL, useDocumentChanges } from "../queries";
import type { KnowledgeDocument } from "../shapes";
import { advice, causeOf } from "../words";
import { share, useProgress } from "./progress";
import s from "./documents.module.css";

/** Where a document stands: live while it is indexed, with what to do when it failed. */
export function StatusCell({ document, live }: { document: KnowledgeDocument; live: boolean }) {
  switch (document.status) {
    case "indexed":
      return <Badge tone="good" icon="check">Indexed</Badge>;
    case "failed":
      return <Failed document={document} />;
    case "pending":
      return live && document.stream_url !== null ? <Live key={document.run} url={document.stream_url} name={document.name} /> : <Badge tone="accent" icon="clock">In the queue</Badge>;
  }
}

function Live({ url, name }: { url: string; name: string }) {
  const queryClient = useQueryClient();
  const progress = useProgress(url, () => void queryClient.invalidateQueries({ queryKey: ALL }));
  const percent = Math.round(share(progress) * 100);
  return (
    <div className={s.live}>
      <Badge tone="accent"><Spinner /> Indexing</Badge>
      <span>{progress.text}</span>
      <progress className={s.progress} max={100} value={percent} aria-label={`${name}: ${percent} percent indexed`} />
    </div>
  );
}

function Failed({ document }: { document: KnowledgeDocument }) {
  const may = useAllowance("knowledge.edit");
  const { again } = useDocumentChanges();
  const code = document.error?.code ?? "failed";
  return (
    <div className={s.failed}>
      <Badge tone="critical" icon="warning">{causeOf(code)}</Badge>
      <p>{document.error?.detail}</p>
      <p className={s.advice}>{advice(code)}</p>
      <Button size="s" icon="refresh" busy={again.isPending} denied={may.reason} aria-label={`Try again: ${document.name}`} onClick={() => { again.mutate(document.id, { onError: (error) => { toast(error.message, { tone: "critical" }); } }); }}>Try again</Button>
    </div>
  );
}

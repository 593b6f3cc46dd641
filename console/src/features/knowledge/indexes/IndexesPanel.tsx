import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useAllowance } from "@/api/session";
import { ago, Badge, Button, Card, count, Dialog, DialogActions, Failure, Loading, Notice, Row, SkeletonLines, State, Text, toast } from "@/design";
import type { KnowledgeIndex } from "../shapes";
import { BuildButton } from "./BuildButton";
import { indexesQuery, useIndexChanges } from "./queries";
import s from "./indexes.module.css";

export function IndexesPanel() {
  const indexes = useQuery(indexesQuery);
  const items = indexes.data?.items;
  return (
    <Card pad={false} label="Indexes">
      <header className={s.head}>
        <div>
          <h2>Indexes</h2>
          <Text as="p" tone="faint" size="s">Searches read the active one. Another is built beside it when settings change, and then they switch</Text>
        </div>
        {items !== undefined && items.length > 0 && <BuildButton>Build a new index</BuildButton>}
      </header>
      {items === undefined ? (
        indexes.isError ? <Failure what="The list of indexes" error={indexes.error} onRetry={() => void indexes.refetch()} /> : <Loading label="Loading the indexes"><div className={s.padded}><SkeletonLines /></div></Loading>
      ) : items.length === 0 ? (
        <State icon="classifier" title="No index yet"><p>The first one is made by itself with the first document.</p></State>
      ) : (
        <ul className={s.rows}>{items.map((index) => <IndexRow key={index.id} index={index} total={indexes.data?.total_documents ?? 0} hasRetired={items.some(({ status }) => status === "retired")} />)}</ul>
      )}
    </Card>
  );
}

function IndexRow({ index, total, hasRetired }: { index: KnowledgeIndex; total: number; hasRetired: boolean }) {
  const facts = [count(index.documents, "document"), count(index.chunks, "passage"), `${index.tokens.toLocaleString("en")} tokens`, `settings ${index.settings_version === 0 ? "by default" : `version ${index.settings_version}`}`];
  return (
    <li>
      <div className={s.main}>
        <Row gap={2} wrap>
          <strong>Index {index.number}</strong>
          <StatusBadge status={index.status} />
          {index.approximate && <Badge outline>Approximate</Badge>}
        </Row>
        <Text as="p" tone="soft" size="s">{facts.join(", ")}</Text>
        <Text as="p" tone="faint" size="s">{index.embedding_model}, {index.dimensions} dimensions. {when(index)}</Text>
        {index.status === "building" && <Filling index={index} total={total} />}
      </div>
      {index.status === "building" && <BuildingActions index={index} isWhole={index.current >= total} />}
      {index.status === "active" && hasRetired && <UndoButton index={index} />}
    </li>
  );
}

function StatusBadge({ status }: { status: KnowledgeIndex["status"] }) {
  switch (status) {
    case "active":
      return <Badge tone="good" icon="check">Searched</Badge>;
    case "building":
      return <Badge tone="accent" icon="clock">Being built</Badge>;
    case "retired":
      return <Badge>Kept for undo</Badge>;
  }
}

function when({ created_at, activated_at, retired_at }: KnowledgeIndex): string {
  if (retired_at !== null) return `Replaced ${ago(retired_at)}; it goes after a day`;
  return activated_at === null ? `Begun ${ago(created_at)}` : `Searched since ${ago(activated_at)}`;
}

function Filling({ index, total }: { index: KnowledgeIndex; total: number }) {
  const share = total === 0 ? 1 : index.current / total;
  return (
    <div className={s.filling}>
      <progress className={s.progress} max={1} value={share} aria-label={`Index ${index.number}: ${Math.round(share * 100)} percent filled`} />
      <Text size="s" tone="soft">{index.current.toLocaleString("en")} of {count(total, "document")}</Text>
    </div>
  );
}

function BuildingActions({ index, isWhole }: { index: KnowledgeIndex; isWhole: boolean }) {
  const may = useAllowance("knowledge.manage");
  const { compare } = useIndexChanges();
  const [asking, setAsking] = useState<"switch" | "abandon" | null>(null);
  const close = () => { setAsking(null); };
  return (
    <>
      <Row gap={2} wrap>
        <Button size="s" busy={compare.isPending} denied={may.reason} onClick={() => { compare.mutate(index.id); }}>Compare</Button>
        <Button size="s" tone="primary" denied={may.reason} onClick={() => { setAsking("switch"); }}>Switch to it</Button>
        <Button size="s" tone="danger" denied={may.reason} onClick={() => { setAsking("abandon"); }}>Abandon</Button>
      </Row>
      {compare.data !== undefined && <Compared {...compare.data} />}
      {compare.error !== null && <div className={s.notice}><Notice tone="critical" title="Not compared">{compare.error.message}</Notice></div>}
      {asking === "switch" && <SwitchDialog index={index} isWhole={isWhole} onClose={close} />}
      {asking === "abandon" && <AbandonDialog index={index} onClose={close} />}
    </>
  );
}

function Compared({ queries, overlap, rank_correlation }: { queries: number; overlap: number; rank_correlation: number | null }) {
  return (
    <div className={s.notice}>
      <Notice title={queries === 0 ? "There is nothing yet to compare them by" : `Asked ${count(queries, "question")}, both find ${Math.round(overlap * 100)} % of the first ten places`}>
        {rank_correlation !== null && `What both find stands in like order by ${rank_correlation.toFixed(2)} (1 is the same order, 0 is none).`}
      </Notice>
    </div>
  );
}

function SwitchDialog({ index, isWhole, onClose }: { index: KnowledgeIndex; isWhole: boolean; onClose: () => void }) {
  const { activate } = useIndexChanges();
  const [force, setForce] = useState(false);
  return (
    <Dialog title={`Let searches read index ${index.number}?`} onClose={onClose}>
      <p>Searches read it from the next one on. The present index is kept for a day, so that the switch can be undone.</p>
      {!isWhole && (
        <>
          <Notice tone="medium" title="It does not hold all documents yet">Wait for them, or switch all the same: those are found again once they are indexed anew.</Notice>
          <label className={s.check}><input type="checkbox" checked={force} onChange={(event) => { setForce(event.target.checked); }} /> Switch although documents are missing</label>
        </>
      )}
      {activate.error && <Notice tone="critical" title="Not switched">{activate.error.message}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="primary" busy={activate.isPending} onClick={() => { activate.mutate({ id: index.id, force }, { onSuccess: () => { toast(`Searches read index ${index.number}`); onClose(); } }); }}>Switch</Button>
      </DialogActions>
    </Dialog>
  );
}

function AbandonDialog({ index, onClose }: { index: KnowledgeIndex; onClose: () => void }) {
  const { abandon } = useIndexChanges();
  return (
    <Dialog title={`Give up index ${index.number}?`} onClose={onClose}>
      <p>What was built of it goes. Searches are not touched: they read the active index.</p>
      {abandon.error && <Notice tone="critical" title="Not given up">{abandon.error.message}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="danger" busy={abandon.isPending} onClick={() => { abandon.mutate(index.id, { onSuccess: onClose }); }}>Give it up</Button>
      </DialogActions>
    </Dialog>
  );
}

function UndoButton({ index }: { index: KnowledgeIndex }) {
  const may = useAllowance("knowledge.manage");
  const { undo } = useIndexChanges();
  return (
    <Button size="s" icon="undo" busy={undo.isPending} denied={may.reason} onClick={() => { undo.mutate(index.id, { onSuccess: () => { toast("The index before is searched again"); }, onError: (error) => { toast(error.message, { tone: "critical" }); } }); }}>
      Undo the switch
    </Button>
  );
}

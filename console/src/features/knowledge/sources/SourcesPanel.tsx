import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useAllowance } from "@/api/session";
import { ago, atTime, Badge, Button, Card, Dialog, DialogActions, Failure, IconButton, Loading, Menu, MenuItem, MenuLine, Notice, Row, SkeletonLines, State, Text, toast } from "@/design";
import { useProgress } from "../documents/progress";
import { ALL } from "../queries";
import { spokenReaders, useSubjects } from "../readers";
import type { Source } from "../shapes";
import { KINDS } from "./form";
import { sourcesQuery, useSourceChanges } from "./queries";
import { SourceDialog } from "./SourceDialog";
import s from "./sources.module.css";

export function SourcesPanel() {
  const sources = useQuery(sourcesQuery);
  const may = useAllowance("knowledge.manage");
  const [adding, setAdding] = useState(false);
  return (
    <Card pad={false} label="Sources">
      <header className={s.head}>
        <div>
          <h2>Sources</h2>
          <Text as="p" tone="faint" size="s">Where documents come from by themselves. Uploads need none of these</Text>
        </div>
        <Button icon="plus" denied={may.reason} onClick={() => { setAdding(true); }}>Add a source</Button>
      </header>
      <Listing sources={sources.data} error={sources.error} onRetry={() => void sources.refetch()} />
      {adding && <SourceDialog source={null} onClose={() => { setAdding(false); }} />}
    </Card>
  );
}

function Listing({ sources, error, onRetry }: { sources: Source[] | undefined; error: Error | null; onRetry: () => void }): ReactNode {
  if (sources === undefined) {
    return error === null ? <Loading label="Loading the sources"><div className={s.padded}><SkeletonLines /></div></Loading> : <Failure what="The list of sources" error={error} onRetry={onRetry} />;
  }
  if (sources.length === 0) {
    return (
      <State icon="book" title="No sources yet">
        <p>Add web pages, a place in an object store or a connector, and what changes there is indexed anew. With a source of kind push, your own systems bring documents.</p>
      </State>
    );
  }
  return <ul className={s.rows}>{sources.map((source) => <SourceRow key={source.name} source={source} />)}</ul>;
}

function SourceRow({ source }: { source: Source }) {
  const may = useAllowance("knowledge.manage");
  const subjects = useSubjects();
  const { change, sync } = useSourceChanges();
  const [followed, setFollowed] = useState<string | null>(null);
  const [asking, setAsking] = useState<"edit" | "delete" | null>(null);
  const close = () => { setAsking(null); };
  const onError = (error: Error) => { toast(error.message, { tone: "critical" }); };
  const isPush = source.config.kind === "push";
  return (
    <li>
      <div className={s.main}>
        <Row gap={2} wrap>
          <strong>{source.name}</strong>
          <Badge outline>{kindOf(source)}</Badge>
          <Marks source={source} />
        </Row>
        <Text as="p" tone="soft" size="s">{isPush ? "Takes what is sent to it" : times(source)}. Readers: {spokenReaders(source.readers, subjects)}</Text>
        {source.error !== null && <Notice tone="critical" title="The last synchronisation failed">{source.error.detail}</Notice>}
        {followed !== null && <Following key={followed} url={followed} onEnded={() => { setFollowed(null); }} />}
      </div>
      <Row gap={2}>
        {!isPush && (
          <Button size="s" icon="refresh" busy={sync.isPending || followed !== null} denied={may.reason} aria-label={`Sync now: ${source.name}`} onClick={() => { sync.mutate(source.name, { onSuccess: (started) => { setFollowed(started.stream_url); }, onError }); }}>Sync now</Button>
        )}
        <Menu trigger={<IconButton size="s" icon="more" label={`More for ${source.name}`} hint="More" />}>
          <MenuItem icon="pencil" disabled={!may.allowed} hint={may.reason} onSelect={() => { setAsking("edit"); }}>Change</MenuItem>
          <MenuItem icon={source.is_paused ? "play" : "stop"} disabled={!may.allowed} hint={may.reason} onSelect={() => { change.mutate({ name: source.name, is_paused: !source.is_paused }, { onError }); }}>{source.is_paused ? "Let it go on" : "Pause"}</MenuItem>
          <MenuLine />
          <MenuItem icon="trash" danger disabled={!may.allowed} hint={may.reason} onSelect={() => { setAsking("delete"); }}>Delete</MenuItem>
        </Menu>
      </Row>
      {asking === "edit" && <SourceDialog source={source} onClose={close} />}
      {asking === "delete" && <DeleteDialog source={source} onClose={close} />}
    </li>
  );
}

function kindOf({ config }: Source): string | undefined {
  return config.kind === "connector" ? `Connector ${config.connector}` : KINDS.find(({ value }) => value === config.kind)?.label;
}

function Marks({ source }: { source: Source }) {
  return (
    <>
      {source.is_paused ? <Badge tone="medium" icon="stop">Paused</Badge> : source.error !== null ? <Badge tone="critical" icon="warning">Failed last time</Badge> : null}
      {source.has_secret && <Badge outline icon="lock">Secret stored</Badge>}
    </>
  );
}

function times({ synced_at, due_at, is_paused, every_seconds }: Source): string {
  const last = synced_at === null ? "Never synchronised" : `Synchronised ${ago(synced_at)}`;
  if (is_paused) return last;
  return every_seconds === null || due_at === null ? `${last}, on demand only` : `${last}, next ${Date.parse(due_at) <= Date.now() ? "now" : atTime(due_at)}`;
}

function Following({ url, onEnded }: { url: string; onEnded: () => void }) {
  const queryClient = useQueryClient();
  const { text } = useProgress(url, () => {
    void queryClient.invalidateQueries({ queryKey: ALL });
    onEnded();
  });
  return <Text as="p" tone="soft" size="s"><span role="status">{text}</span></Text>;
}

function DeleteDialog({ source, onClose }: { source: Source; onClose: () => void }) {
  const { remove } = useSourceChanges();
  return (
    <Dialog title={`Delete the source ${source.name}?`} onClose={onClose}>
      <p>All its documents go with it, for good. Nothing comes in any more from now on; it takes a moment until the last document is gone.</p>
      {remove.error && <Notice tone="critical" title="Not deleted">{remove.error.message}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="danger" busy={remove.isPending} onClick={() => { remove.mutate(source.name, { onSuccess: () => { toast(`${source.name} is being deleted with its documents`); onClose(); } }); }}>Delete the source</Button>
      </DialogActions>
    </Dialog>
  );
}

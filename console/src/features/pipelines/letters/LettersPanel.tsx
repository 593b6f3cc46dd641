import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useAllowance } from "@/api/session";
import { ago, Arriving, Badge, Button, Card, CardHead, ConfirmDialog, count, More, Row, RowMain, Rows, Segments, State, Text, toast } from "@/design";
import { doneInWords } from "../bulk";
import type { LetterGroup } from "../shapes";
import type { LetterState, Viewed } from "../view";
import { DiscardDialog } from "./DiscardDialog";
import { LetterList } from "./LetterList";
import { groupsQuery, lettersQuery, useLetterChanges } from "./queries";
import s from "./letters.module.css";

const STATES: { value: LetterState; label: string }[] = [
  { value: "open", label: "Open, by cause" },
  { value: "replayed", label: "Replayed" },
  { value: "discarded", label: "Discarded" },
];

/** What failed for good: grouped by cause while it is open, and what was decided about the rest. */
export function LettersPanel({ view, onView }: Viewed) {
  const state = view.state ?? "open";
  return (
    <>
      <Row wrap gap={3} justify="space-between">
        <Segments label="Which dead letters" value={state} onChange={(next) => { onView({ state: next === "open" ? undefined : next, group: undefined, letter: undefined }); }} options={STATES} />
      </Row>
      {state === "open" ? <Groups view={view} onView={onView} /> : <Decided key={state} state={state} view={view} onView={onView} />}
    </>
  );
}

function Groups({ view, onView }: Viewed) {
  const groups = useQuery(groupsQuery);
  const may = useAllowance("run.operate");
  const { replayMany } = useLetterChanges();
  const [asking, setAsking] = useState<"replay" | "discard" | null>(null);
  const close = () => { setAsking(null); };
  return (
    <Arriving query={groups} what="The dead letters" lines={5}>
      {(causes) => {
        if (causes.length === 0) return <Card><State icon="check" title="No dead letters"><p>A step that failed for good, after all its attempts, comes here with its input and trace until somebody replays or discards it.</p></State></Card>;
        const open = causes.reduce((sum, cause) => sum + cause.count, 0);
        return (
          <Card pad={false} label="Dead letters by cause">
            <CardHead title={count(open, "open dead letter")} lead={`${count(causes.length, "cause")}, the most frequent first`}>
              <Button size="s" icon="refresh" denied={may.reason} onClick={() => { setAsking("replay"); }}>Replay all</Button>
              <Button size="s" icon="trash" denied={may.reason} onClick={() => { setAsking("discard"); }}>Discard all</Button>
            </CardHead>
            <Rows label="Causes">{causes.map((cause) => <Cause key={cause.fingerprint} cause={cause} view={view} onView={onView} />)}</Rows>
            {asking === "replay" && (
              <ConfirmDialog title="Replay all open dead letters?" action="Replay all" onClose={close} run={async () => { toast(doneInWords(await replayMany.mutateAsync({}), "replayed", "dead letter")); }}>
                Each run goes on from its failed step, in a new run; what is finished is not done again. What fails again comes back here.
              </ConfirmDialog>
            )}
            {asking === "discard" && <DiscardDialog title={`Discard all ${open} open dead letters?`} asked={{}} onClose={close} />}
          </Card>
        );
      }}
    </Arriving>
  );
}

function Cause({ cause, view, onView }: Viewed & { cause: LetterGroup }) {
  const may = useAllowance("run.operate");
  const { replayMany } = useLetterChanges();
  const [discarding, setDiscarding] = useState(false);
  const open = view.group === cause.fingerprint;
  const asked = { fingerprint: cause.fingerprint };
  const replay = () => {
    replayMany.mutate(asked, { onSuccess: (bulk) => { toast(doneInWords(bulk, "replayed", "dead letter")); }, onError: (error) => { toast(error.message, { tone: "critical" }); } });
  };
  return (
    <li data-group={cause.fingerprint}>
      <span className={s.count} aria-label={count(cause.count, "dead letter")}>{cause.count.toLocaleString("en")}</span>
      <RowMain>
        <Row gap={2} wrap><strong>{cause.error_code}</strong><Badge outline>{cause.pipeline}, {cause.step}</Badge></Row>
        <Text as="p" tone="soft" size="s">{cause.example.error.detail === "" ? "What it said is closed to you." : cause.example.error.detail}</Text>
        <Text as="p" tone="faint" size="s">First {ago(cause.first_at)}, last {ago(cause.last_at)}</Text>
      </RowMain>
      <Row gap={2} wrap>
        <Button size="s" icon={open ? "down" : "right"} aria-expanded={open} onClick={() => { onView({ group: open ? undefined : cause.fingerprint, letter: undefined }); }}>{open ? "Close" : "Look"}</Button>
        <Button size="s" icon="refresh" busy={replayMany.isPending} denied={may.reason} aria-label={`Replay these: ${cause.error_code}`} onClick={replay}>Replay</Button>
        <Button size="s" icon="trash" denied={may.reason} aria-label={`Discard these: ${cause.error_code}`} onClick={() => { setDiscarding(true); }}>Discard</Button>
      </Row>
      {open && <div className={s.inside}><LettersOf state="open" fingerprint={cause.fingerprint} view={view} onView={onView} /></div>}
      {discarding && <DiscardDialog title={`Discard ${count(cause.count, "dead letter")} of this cause?`} asked={asked} onClose={() => { setDiscarding(false); }} />}
    </li>
  );
}

function LettersOf({ state, fingerprint, view, onView }: Viewed & { state: LetterState; fingerprint: string | undefined }) {
  const list = useInfiniteQuery(lettersQuery(state, fingerprint));
  return (
    <Arriving query={list} what="The dead letters" lines={3}>
      {({ pages }) => {
        const letters = pages.flatMap((page) => page.items);
        if (letters.length === 0) return <State icon="check" title={state === "open" ? "None is open any more" : `None was ${state}`} />;
        return (
          <>
            <LetterList letters={letters} chosen={view.letter} onChoose={(letter) => { onView({ letter }); }} />
            <More list={list} />
          </>
        );
      }}
    </Arriving>
  );
}

function Decided({ state, view, onView }: Viewed & { state: LetterState }) {
  return (
    <Card pad={false} label={`Dead letters that were ${state}`}>
      <LettersOf state={state} fingerprint={undefined} view={view} onView={onView} />
    </Card>
  );
}

import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { Run } from "@/api/schema";
import { useAllowance } from "@/api/session";
import { atTime, Button, Card, duration, Facts, Icon, Row, toast } from "@/design";
import { hasEnded, type RunView } from "../runState";
import { useCancelRun, useRunChanges } from "../runs/queries";
import { RunStatusBadge } from "../runs/status";
import { ReplayDialog } from "./ReplayDialog";
import { SignalDialog } from "./SignalDialog";
import s from "./runpage.module.css";

interface Props {
  run: Run;
  told: RunView;
  now: number;
  onRun: (runId: string) => void;
  line: ReactNode;
}

export function RunHeader({ run, told, now, onRun, line }: Props) {
  return (
    <>
      <header className={s.head}>
        <div>
          <Link to="/runs" className={s.back}><Icon name="left" size={14} /> Runs</Link>
          <h1>{run.pipeline} <span className={s.version}>version {run.version}</span></h1>
          <Row gap={3} wrap><RunStatusBadge status={told.status} /><code className={s.code}>{run.id}</code>{line}</Row>
        </div>
        <Actions run={run} told={told} onRun={onRun} />
      </header>
      <Card label="Facts">
        <Facts
          facts={[
            ["About", run.subject === null ? null : <Subject key="subject" subject={run.subject} />],
            ["Started by", run.initiated_by ?? "the platform"],
            ["Created", atTime(run.created_at)],
            ["Took", elapsed(told, now)],
            ["Cost", costOf(run)],
            ["Retries", run.retry_of === null ? null : <RunLink key="retry" id={run.retry_of} />],
            ["Replays", run.replay_of === null ? null : <RunLink key="replay" id={run.replay_of} />],
            ["Started by the run", run.parent === null ? null : <RunLink key="parent" id={run.parent} />],
            ["Runs that it started", <Link key="children" to="/runs" search={{ parent: run.id }}>Show them</Link>],
          ]}
        />
      </Card>
    </>
  );
}

function Actions({ run, told, onRun }: Pick<Props, "run" | "told" | "onRun">) {
  const [asking, setAsking] = useState<"replay" | "signal" | null>(null);
  const mayCancel = useAllowance("ai.analysis.trigger");
  const mayOperate = useAllowance("run.operate");
  const cancel = useCancelRun();
  const { retry } = useRunChanges(run.id);
  const live = !hasEnded(told.status);
  const onError = (error: Error) => { toast(error.message, { tone: "critical" }); };
  const close = () => { setAsking(null); };
  return (
    <Row gap={2} wrap>
      {live && <Button icon="send" denied={mayOperate.reason} onClick={() => { setAsking("signal"); }}>Signal</Button>}
      {live && <Button icon="stop" busy={cancel.isPending || cancel.isSuccess} denied={mayCancel.reason} onClick={() => { cancel.mutate(run.id, { onError }); }}>{cancel.isSuccess ? "Cancelling" : "Cancel"}</Button>}
      {!live && told.status !== "succeeded" && (
        <Button tone="primary" icon="refresh" busy={retry.isPending} denied={mayOperate.reason} onClick={() => { retry.mutate(undefined, { onSuccess: (next) => { toast("It goes on from where it failed, in a new run"); onRun(next.id); }, onError }); }}>Retry from the failed step</Button>
      )}
      {!live && <Button icon="play" denied={mayOperate.reason} onClick={() => { setAsking("replay"); }}>Replay</Button>}
      {asking === "replay" && <ReplayDialog run={run} onClose={close} onReplayed={(id) => { close(); onRun(id); }} />}
      {asking === "signal" && <SignalDialog run={run} awaited={told.steps.flatMap(({ awaited }) => (awaited?.startsWith("signal:") ? [awaited.slice("signal:".length)] : []))} onClose={close} />}
    </Row>
  );
}

/** A contract has a page; what else a run may be about has a name only. */
function Subject({ subject }: { subject: string }) {
  if (subject.startsWith("ctr_")) return <Link to="/contracts/$contractId" params={{ contractId: subject }}>{subject}</Link>;
  if (subject.startsWith("doc_")) return <Link to="/knowledge/documents/$documentId" params={{ documentId: subject }}>{subject}</Link>;
  return subject;
}

function RunLink({ id }: { id: string }) {
  return <Link to="/runs/$runId" params={{ runId: id }}>{id}</Link>;
}

function elapsed({ startedAt, finishedAt }: RunView, now: number): string {
  if (startedAt === null) return "not started yet";
  return duration((finishedAt === null ? now : Date.parse(finishedAt)) - Date.parse(startedAt));
}

function costOf({ cost_micros, cost_ceiling_micros }: Run): string {
  const usd = (micros: number) => `$${(micros / 1e6).toFixed(micros !== 0 && micros < 10_000 ? 4 : 2)}`;
  return cost_ceiling_micros === null ? usd(cost_micros) : `${usd(cost_micros)} of at most ${usd(cost_ceiling_micros)}`;
}

import type { ReactNode } from "react";
import type { Run } from "@/api/schema";
import { useAllowance } from "@/api/session";
import { Button, Card, duration, Notice, toast } from "@/design";
import { Line, useNow } from "./components/Line";
import { FindingStream, Log, SummaryStream, WritingText } from "./components/Stream";
import { StepList } from "./components/StepList";
import { useCancelRun } from "./runs/queries";
import { hasEnded, type RunView } from "./runState";
import { type RunStream, useRunStream } from "./useRunStream";
import s from "./run.module.css";

interface Props {
  run: Run;
  /** Called once when a run that was moving has ended. */
  onEnded: () => void;
  /** Frames the local model's unverified words; the frame belongs to the feature that knows what they are about. */
  frameModelText: (words: ReactNode) => ReactNode;
  /** Offered when the run failed or was cancelled. */
  retry?: ReactNode;
}

/** A run while it happens, or the story of one that has. Mount with the run's id as key. */
export function RunPanel({ run, onEnded, frameModelText, retry }: Props) {
  const stream = useRunStream(run, onEnded);
  const { view } = stream;
  const live = !hasEnded(view.status);
  const now = useNow(live);
  const writing = (name: string) => live && view.steps.find((step) => step.name === view.messages[name]?.step)?.status === "running";
  const modelText = view.messages.model_text?.text ?? "";
  return (
    <div className={s.page}>
      <RunHead stream={stream} runId={run.id} now={now} live={live} retry={retry} />
      {view.error && <Notice tone="critical" title={view.status === "cancelled" ? "Cancelled" : "The analysis failed"}>{view.error.detail}</Notice>}
      <div className={s.columns}>
        <div className={s.column}>
          <Card label="Progress">
            <StepList steps={view.steps} now={now} />
          </Card>
          <Log log={view.log} />
        </div>
        <div className={s.column}>
          <FindingStream findings={view.findings} live={live} />
          <SummaryStream text={view.messages.summary?.text ?? ""} live={live ? writing("summary") || view.messages.summary === undefined : false} />
          {modelText !== "" && frameModelText(<WritingText text={modelText} live={writing("model_text")} />)}
        </div>
      </div>
    </div>
  );
}

function RunHead({ stream, runId, now, live, retry }: { stream: RunStream; runId: string; now: number; live: boolean; retry: ReactNode }) {
  const { view } = stream;
  const cancel = useCancelRun();
  const mayCancel = useAllowance("ai.analysis.trigger");
  const done = view.steps.filter(({ status }) => status === "succeeded").length;
  return (
    <header className={s.head}>
      <div>
        <h2>{TITLES[view.status]}</h2>
        <p>
          {view.steps.length > 0 && `${done} of ${view.steps.length} steps`}
          {elapsed(view, now)}
        </p>
      </div>
      <div className={s.headActions}>
        <Line stream={stream} live={live} />
        {live && (
          <Button
            icon="stop"
            busy={cancel.isPending || cancel.isSuccess}
            denied={mayCancel.reason}
            onClick={() => { cancel.mutate(runId, { onError: (error) => { toast(error.message, { tone: "critical" }); } }); }}
          >
            {cancel.isSuccess ? "Cancelling" : "Cancel"}
          </Button>
        )}
        {!live && view.status !== "succeeded" && retry}
      </div>
    </header>
  );
}

const TITLES: Record<RunView["status"], string> = {
  queued: "Waiting for a worker",
  running: "Analysing",
  compensating: "Undoing what was done",
  succeeded: "The report is ready",
  failed: "The analysis failed",
  cancelled: "The analysis was cancelled",
};

function elapsed(view: RunView, now: number): string {
  if (view.startedAt === null) return "";
  const end = view.finishedAt === null ? now : Date.parse(view.finishedAt);
  return `, ${duration(end - Date.parse(view.startedAt))}`;
}

import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { Run } from "@/api/schema";
import { Arriving, Card, Notice, Page, State } from "@/design";
import { Line, useNow } from "../components/Line";
import { FindingStream, Log } from "../components/Stream";
import { StepList } from "../components/StepList";
import { hasEnded, type RunView } from "../runState";
import { ALL, runQuery } from "../runs/queries";
import { useRunStream } from "../useRunStream";
import type { RunPageView } from "../view";
import { RunHeader } from "./RunHeader";
import { StepPanel } from "./StepPanel";
import s from "./runpage.module.css";

interface Props {
  runId: string;
  view: RunPageView;
  onView: (change: RunPageView) => void;
  onRun: (runId: string) => void;
}

/** One run of any pipeline: its story as it happens, and each step with what went in and came out. */
export function RunPage(props: Props) {
  const run = useQuery(runQuery(props.runId));
  return (
    <Page>
      <Arriving query={run} what="The run" lines={9}>{(data) => <Told key={data.id} run={data} {...props} />}</Arriving>
    </Page>
  );
}

function Told({ run, view, onView, onRun }: Props & { run: Run }) {
  const queryClient = useQueryClient();
  const stream = useRunStream(run, () => void queryClient.invalidateQueries({ queryKey: ALL }));
  const told = stream.view;
  const live = !hasEnded(told.status);
  const now = useNow(live);
  const chosen = view.step ?? firstOfInterest(told);
  const step = told.steps.find(({ name }) => name === chosen);
  return (
    <div className={s.page}>
      <RunHeader run={run} told={told} now={now} onRun={onRun} line={<Line stream={stream} live={live} />} />
      {told.error && <Notice tone="critical" title={TROUBLES[told.status] ?? "Failed"}>{told.error.detail}{told.error.detail === "" && told.error.code} <code className={s.code}>{told.error.code}</code></Notice>}
      <div className={s.columns}>
        <div className={s.column}>
          <Card label="Progress">
            {told.steps.length === 0 ? <p className={s.quiet}>Its steps are told when a worker begins.</p> : <StepList steps={told.steps} now={now} chosen={chosen} onChoose={(name) => { onView({ step: name, item: undefined, items: undefined }); }} />}
          </Card>
          <Log log={told.log} />
        </div>
        <div className={s.column}>
          {step === undefined ? <Card><State icon="play" title="No step to look into yet" /></Card> : <StepPanel key={step.name} runId={run.id} step={step} view={view} onView={onView} />}
          {told.findings.length > 0 && <FindingStream findings={told.findings} live={live} />}
        </div>
      </div>
    </div>
  );
}

const TROUBLES: Partial<Record<RunView["status"], string>> = { cancelled: "Cancelled", compensating: "It failed, and what was done is being undone", failed: "It failed" };

/** What failed, waits or runs is what someone comes to see. */
function firstOfInterest({ steps }: RunView): string | undefined {
  const by = (...statuses: string[]) => steps.find(({ status }) => statuses.includes(status))?.name;
  return by("failed") ?? by("suspended") ?? by("running", "gathering") ?? steps[0]?.name;
}

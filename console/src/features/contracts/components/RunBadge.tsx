import type { Run } from "@/api/schema";
import { Badge, Spinner } from "@/design";
import s from "../list.module.css";

/** The state of a contract's latest run, in one word or with the step it is at. */
export function RunBadge({ run }: { run: Run | null }) {
  switch (run?.status) {
    case undefined:
      return <Badge tone="info">Not analysed</Badge>;
    case "queued":
      return <Badge tone="accent" icon="clock">Queued</Badge>;
    case "running": {
      const step = run.steps.find(({ status }) => status === "running");
      const done = run.steps.filter(({ status }) => status === "succeeded").length;
      return (
        <span className={s.running}>
          <Badge tone="accent"><Spinner /> Analysing</Badge>
          <span>{step?.title ?? "Starting"}{run.steps.length > 0 && `, ${done} of ${run.steps.length}`}</span>
        </span>
      );
    }
    case "compensating":
      return <Badge tone="accent"><Spinner /> Stopping</Badge>;
    case "succeeded":
      return <Badge tone="good" icon="check">Analysed</Badge>;
    case "failed":
      return <Badge tone="critical" icon="warning">Failed</Badge>;
    case "cancelled":
      return <Badge tone="info" icon="stop">Cancelled</Badge>;
  }
}

import type { RunStatus, StepStatus } from "@/api/schema";
import { Badge, type IconName, Spinner } from "@/design";

type Look = { label: string; tone: "accent" | "good" | "critical" | "info" | "medium"; icon?: IconName; spins?: boolean };

export const RUN_STATUSES: Record<RunStatus, Look> = {
  queued: { label: "Queued", tone: "accent", icon: "clock" },
  running: { label: "Running", tone: "accent", spins: true },
  compensating: { label: "Undoing", tone: "medium", spins: true },
  succeeded: { label: "Succeeded", tone: "good", icon: "check" },
  failed: { label: "Failed", tone: "critical", icon: "warning" },
  cancelled: { label: "Cancelled", tone: "info", icon: "stop" },
};

export const STEP_STATUSES: Record<StepStatus, Look> = {
  waiting: { label: "Waiting", tone: "info", icon: "clock" },
  ready: { label: "Ready", tone: "accent", icon: "clock" },
  running: { label: "Running", tone: "accent", spins: true },
  suspended: { label: "Suspended", tone: "medium", icon: "pause" },
  gathering: { label: "Running its items", tone: "accent", spins: true },
  succeeded: { label: "Succeeded", tone: "good", icon: "check" },
  failed: { label: "Failed", tone: "critical", icon: "warning" },
  cancelled: { label: "Cancelled", tone: "info", icon: "stop" },
};

function Shown({ look }: { look: Look }) {
  return <Badge tone={look.tone} {...(look.icon === undefined ? {} : { icon: look.icon })}>{look.spins && <Spinner />}{look.label}</Badge>;
}

export function RunStatusBadge({ status }: { status: RunStatus }) {
  return <Shown look={RUN_STATUSES[status]} />;
}

export function StepStatusBadge({ status }: { status: StepStatus }) {
  return <Shown look={STEP_STATUSES[status]} />;
}

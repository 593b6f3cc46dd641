/**
 * A run as someone watching it sees it, told by its events. Pure: an event already told (after a
 * reconnect, or from a second line) changes nothing, and a snapshot replaces what came before.
 */
import type { RunEvent } from "@/api/events";
import type { Run, RunStatus, Severity, StepStatus } from "@/api/schema";

export interface StepView {
  name: string;
  title: string;
  status: StepStatus;
  attempt: number;
  startedAt: string | null;
  finishedAt: string | null;
  /** The last thing the step said. */
  text: string | null;
  progress: { done: number; total: number } | null;
  /** While it is suspended: `time`, `signal:<name>` or `run:<uuid>`, and when that is over. */
  awaited: string | null;
  until: string | null;
  isCompensation: boolean;
  items: { total: number; done: number; failed: number } | null;
}
export interface LogLine {
  id: string;
  at: string;
  text: string;
  tone: "plain" | "good" | "bad";
}
export interface RunView {
  status: RunStatus;
  startedAt: string | null;
  finishedAt: string | null;
  steps: readonly StepView[];
  messages: Readonly<Record<string, { step: string | null; text: string }>>;
  findings: readonly { id: string; severity: Severity; title: string }[];
  log: readonly LogLine[];
  error: { code: string; detail: string } | null;
  lastId: string | null;
}

const ENDED: ReadonlySet<RunStatus> = new Set(["succeeded", "failed", "cancelled"]);
export const hasEnded = (status: RunStatus): boolean => ENDED.has(status);

export function viewOf(run: Run): RunView {
  return {
    status: run.status,
    startedAt: run.started_at,
    finishedAt: run.finished_at,
    steps: run.steps.map((step) => ({
      name: step.name,
      title: step.title,
      status: step.status,
      attempt: step.attempt,
      startedAt: step.started_at,
      finishedAt: step.finished_at,
      text: typeof step.error === "string" ? step.error : (step.error?.detail ?? null),
      progress: null,
      awaited: step.awaited,
      until: step.wake_at,
      isCompensation: step.is_compensation,
      items: step.items,
    })),
    messages: {},
    findings: [],
    log: [],
    error: run.error,
    lastId: null,
  };
}

/** Ids are "attempt-sequence"; whether `id` comes after `last`. */
export function isNewer(id: string, last: string | null): boolean {
  if (last === null || id === "") return true;
  const [attempt = 0, sequence = 0] = id.split("-").map(Number);
  const [lastAttempt = 0, lastSequence = 0] = last.split("-").map(Number);
  return attempt > lastAttempt || (attempt === lastAttempt && sequence > lastSequence);
}

export function tell(view: RunView, events: readonly RunEvent[]): RunView {
  return events.reduce(tellOne, view);
}

function tellOne(view: RunView, event: RunEvent): RunView {
  if (!isNewer(event.id, view.lastId)) return view;
  const next = logged(apply(view, event), event);
  return { ...next, lastId: event.id === "" ? view.lastId : event.id };
}

function apply(view: RunView, event: RunEvent): RunView {
  switch (event.type) {
    case "run.started":
      return { ...view, status: "running", startedAt: view.startedAt ?? event.at, steps: withPlan(view.steps, event.steps) };
    case "message.delta": {
      const before = view.messages[event.message]?.text ?? "";
      return { ...view, messages: { ...view.messages, [event.message]: { step: event.step, text: before + event.delta } } };
    }
    case "finding.added":
      return { ...view, findings: [...view.findings, { id: `${event.step}:${event.id}`, severity: event.severity, title: event.title }] };
    case "snapshot":
      return withSnapshot(view, event.snapshot, event.messages);
    case "run.compensating":
      return { ...view, status: "compensating", error: event.error ?? view.error };
    case "run.finished":
      return { ...view, status: event.status, finishedAt: event.at, error: event.error ?? view.error, steps: view.steps.map((step) => stopped(step, event)) };
    case "step.started":
      return begun(view, event.step, event);
    default:
      return onStep(view, event.step, stepChange(event));
  }
}

type StepEvent = Extract<RunEvent, { type: "step.progress" | "step.finished" | "step.retrying" | "step.failed" | "step.suspended" | "step.resumed" | "step.gathered" }>;

function stepChange(event: StepEvent): Partial<StepView> {
  const text = event.text === undefined ? {} : { text: event.text };
  switch (event.type) {
    case "step.progress":
      return { ...text, progress: event.total != null && event.total > 0 ? { done: event.done ?? 0, total: event.total } : null };
    case "step.finished":
      return { ...text, status: "succeeded", finishedAt: event.at, progress: null, awaited: null, until: null };
    case "step.retrying":
      return { ...text, status: "ready", attempt: event.attempt, progress: null };
    case "step.failed":
      // An item of a fan-out that failed is not the end of its step.
      return event.item == null ? { ...text, status: "failed", finishedAt: event.at, progress: null, awaited: null, until: null } : text;
    case "step.suspended":
      return { ...text, status: "suspended", awaited: event.awaited, until: event.until ?? null, progress: null };
    case "step.resumed":
      return { ...text, status: "running", awaited: null, until: null };
    case "step.gathered":
      return { ...text, status: "succeeded", finishedAt: event.at, progress: null, items: { total: event.total, done: event.total, failed: event.failed } };
  }
}

/** A step that starts again writes its messages and its findings anew. */
function begun(view: RunView, step: string, event: { at: string; text?: string }): RunView {
  // A step that undoes another is told of for the first time when it starts.
  const known = view.steps.some(({ name }) => name === step);
  const steps = known ? view.steps : [...view.steps, { ...fresh(step, event.text ?? step), isCompensation: true }];
  return {
    ...onStep({ ...view, steps }, step, { status: "running", startedAt: event.at, finishedAt: null, text: event.text ?? null, progress: null }),
    status: view.status === "compensating" ? view.status : "running",
    messages: Object.fromEntries(Object.entries(view.messages).filter(([, message]) => message.step !== step)),
    findings: view.findings.filter(({ id }) => !id.startsWith(`${step}:`)),
  };
}

/** Steps that a cancelled or failed run leaves behind do not go on turning. */
function stopped(step: StepView, event: { status: RunStatus; at: string }): StepView {
  if (step.status === "succeeded" || step.status === "failed" || event.status === "succeeded") return step;
  const status = step.status === "running" || step.status === "suspended" || step.status === "gathering" ? "cancelled" : step.status;
  return { ...step, status, finishedAt: step.startedAt === null ? null : event.at, progress: null, awaited: null, until: null };
}

/** The plan's steps, and after them those that undo, which no plan names. */
function withPlan(steps: readonly StepView[], plan: readonly { name: string; title: string }[]): StepView[] {
  const planned = plan.map(({ name, title }) => steps.find((step) => step.name === name) ?? fresh(name, title));
  return [...planned, ...steps.filter(({ name }) => !plan.some((step) => step.name === name))];
}

function fresh(name: string, title: string): StepView {
  return { name, title, status: "waiting", attempt: 1, startedAt: null, finishedAt: null, text: null, progress: null, awaited: null, until: null, isCompensation: false, items: null };
}

function onStep(view: RunView, name: string, change: Partial<StepView>): RunView {
  return { ...view, steps: view.steps.map((step) => (step.name === name && !isLate(step, change) ? { ...step, ...change } : step)) };
}

/** Progress is told now and then: the last of it may come after the step has ended. */
function isLate(step: StepView, change: Partial<StepView>): boolean {
  return change.progress != null && (step.status === "succeeded" || step.status === "failed");
}

function withSnapshot(view: RunView, run: Run, messages: Record<string, string>): RunView {
  const fresh = viewOf(run);
  const steps = fresh.steps.map((step) => ({ ...step, text: step.text ?? view.steps.find(({ name }) => name === step.name)?.text ?? null }));
  const texts = Object.fromEntries(Object.entries(messages).map(([name, text]) => [name, { step: view.messages[name]?.step ?? null, text }]));
  return { ...fresh, steps, messages: texts, findings: view.findings, log: view.log };
}

const UNTOLD: ReadonlySet<RunEvent["type"]> = new Set(["message.delta", "step.progress", "snapshot"]);
const BAD: ReadonlySet<RunEvent["type"]> = new Set(["step.failed", "step.retrying", "run.compensating"]);
const GOOD: ReadonlySet<RunEvent["type"]> = new Set(["step.finished", "step.gathered", "run.finished"]);

function logged(view: RunView, event: RunEvent): RunView {
  if (event.text === undefined || event.text === "" || UNTOLD.has(event.type)) return view;
  // A finding's text is its whole reasoning; in the story its title is enough.
  const text = event.type === "finding.added" ? event.title : event.text;
  const bad = BAD.has(event.type) || (event.type === "run.finished" && event.status !== "succeeded");
  const good = GOOD.has(event.type);
  const last = view.log.at(-1);
  // A step that has nothing more to say ends with the words that it began with.
  const before = last?.text === text ? view.log.slice(0, -1) : view.log;
  return { ...view, log: [...before, { id: event.id, at: event.at, text, tone: bad ? "bad" : good ? "good" : "plain" }] };
}

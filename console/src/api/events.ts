/** The events of a run as the server streams them. */
import type { Run, RunStatus, Severity } from "./schema";

interface Base {
  id: string;
  run: string;
  at: string;
  text?: string;
}
export type RunEvent =
  | (Base & { type: "run.started"; pipeline: string; steps: { name: string; title: string }[] })
  | (Base & { type: "step.started"; step: string })
  | (Base & { type: "step.progress"; step: string; done?: number | null; total?: number | null })
  | (Base & { type: "step.finished"; step: string })
  | (Base & { type: "step.retrying"; step: string; attempt: number; in_seconds?: number })
  | (Base & { type: "step.failed"; step: string; code?: string; item?: number | null })
  | (Base & { type: "step.suspended"; step: string; awaited: string; until?: string | null })
  | (Base & { type: "step.resumed"; step: string })
  | (Base & { type: "step.gathered"; step: string; total: number; failed: number })
  | (Base & { type: "run.compensating"; error?: { code: string; detail: string } | null })
  | (Base & { type: "message.delta"; step: string; message: string; delta: string })
  | (Base & { type: "finding.added"; step: string; severity: Severity; title: string })
  | (Base & { type: "snapshot"; run: string; snapshot: Run; messages: Record<string, string> })
  | (Base & { type: "run.finished"; status: RunStatus; error?: { code: string; detail: string } | null });

/**
 * Reads one event; null for what is not one of ours, so that a newer server does not break an older page.
 * In a snapshot `run` is the whole run instead of its id: told apart here once.
 */
export function readRunEvent(type: string, id: string | null, data: string): RunEvent | null {
  let body: unknown;
  try {
    body = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof body !== "object" || body === null || !KNOWN.has(type)) return null;
  const fields = body as Record<string, unknown>;
  const base = { ...fields, type, id: typeof fields.id === "string" ? fields.id : (id ?? "") };
  if (type !== "snapshot") return base as unknown as RunEvent;
  const run = fields.run as Run;
  return { ...base, run: run.id, snapshot: run, messages: fields.messages ?? {} } as unknown as RunEvent;
}

const KNOWN = new Set([
  "run.started", "step.started", "step.progress", "step.finished", "step.retrying", "step.failed",
  "step.suspended", "step.resumed", "step.gathered", "run.compensating",
  "message.delta", "finding.added", "snapshot", "run.finished",
]);

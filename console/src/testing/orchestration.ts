/** For tests: what the routes of runs, approvals and webhooks answer with. */
import type { Run } from "@/api/schema";
import type { Approval } from "@/features/approvals/shapes";
import type { Letter, LetterGroup, RunLine, StepDetail } from "@/features/pipelines/shapes";
import { json, type Routes, run, session } from "./server";

const AT = "2026-05-01T10:00:00Z";
export const OPERATOR = ["ai.output.view", "ai.analysis.trigger", "run.operate", "ai.recommendation.approve", "agent.run", "delivery.manage"];

export function step(part: Partial<Run["steps"][number]> = {}): Run["steps"][number] {
  return { name: "pack", title: "Pack", status: "succeeded", attempt: 1, started_at: AT, finished_at: AT, error: null, is_compensation: false, awaited: null, wake_at: null, items: null, ...part };
}

export function line(part: Partial<RunLine> = {}): RunLine {
  return { ...run({ pipeline: "orders", subject: null }), at_steps: [], ...part };
}

export function detail(part: Partial<StepDetail> = {}): StepDetail {
  const input = { value: { items: ["chair"] }, text: null, size: 20, is_cut: false };
  return {
    name: "pack", title: "Pack", role: "work", item: null, status: "failed", attempt: 2, failures: 2, losses: 0, lane: "orders@1/pack", after: [], started_at: AT, finished_at: AT, due_at: null, wake_at: null, awaited: null,
    error: { code: "item_broken", detail: "The item is broken." }, input, output: null, trace: "Traceback\n  line 1", ...part,
  };
}

export function letter(part: Partial<Letter> = {}): Letter {
  return {
    id: "dead_1", run: "run_1", subject: null, pipeline: "orders", version: 1, step: "pack", item: null, error: { code: "item_broken", detail: "The item is broken." }, fingerprint: "f1", failed_at: AT,
    state: "open", reason: null, decided_by: null, decided_at: null, replayed_as: null, ...part,
  };
}

export function group(part: Partial<LetterGroup> = {}): LetterGroup {
  return { fingerprint: "f1", pipeline: "orders", step: "pack", error_code: "item_broken", count: 3, first_at: AT, last_at: AT, example: letter(), ...part };
}

export function approval(part: Partial<Approval> = {}): Approval {
  return {
    id: "apr_1", state: "pending", action: "carrier.ship", title: "Ship two parcels", is_shown: true, may_decide: true, assigned: ["role:reviewer"], four_eyes: true, digest: "a".repeat(64), revision: 1, run: "run_1",
    asked_at: AT, expires_at: "2999-01-01T00:00:00Z", escalated_at: null, verdict: null, decided_by: null, decided_at: null, replaced_by: null, arguments: { parcels: 2 }, output: null,
    shown: "**Two** parcels <img src=x onerror=alert(1)>", shown_digest: "a".repeat(64), initiator: ["user:usr_2"], editor: [], escalate_at: null, escalate_to: [], reason: null, consumed_at: null, history: [], ...part,
  };
}

/** A server with one failed run, three dead letters of one cause, and what else a test says. */
export function orchestration(more: Routes = {}, permissions = OPERATOR): Routes {
  const failed = run({ pipeline: "orders", status: "failed", subject: null, error: { code: "item_broken", detail: "The item is broken." }, steps: [step({ status: "failed" })] });
  return {
    "GET /v1/session": () => json(session(permissions)),
    "GET /v1/pipelines": () => json({ items: [{ name: "orders", version: 1, registered_at: AT, can_start: true, input_schema: { type: "object" }, steps: [{ name: "pack", title: "Pack", after: [], input_schema: {}, output_schema: {} }] }] }),
    "GET /v1/runs": () => json({ items: [line({ status: "failed", at_steps: ["pack"] })], next_cursor: null }),
    "GET /v1/runs/run_1": () => json(failed),
    "GET /v1/runs/run_1/events": () => new Response(null, { status: 204 }),
    "GET /v1/runs/run_1/steps/pack": () => json(detail()),
    "GET /v1/dead-letters/groups": () => json({ items: [group()] }),
    "GET /v1/dead-letters": () => json({ items: [letter()], next_cursor: null }),
    "GET /v1/holds": () => json({ items: [] }),
    "GET /v1/lanes": () => json({ items: [] }),
    "GET /v1/approvals/apr_1": () => json(approval()),
    ...more,
  };
}

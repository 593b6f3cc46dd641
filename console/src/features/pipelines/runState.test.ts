import { expect, test } from "vitest";
import { readRunEvent, type RunEvent } from "@/api/events";
import { run } from "@/testing/server";
import { isNewer, tell, viewOf } from "./runState";

const AT = "2026-05-01T10:00:00Z";
let sequence = 0;
function event(type: RunEvent["type"], fields: Record<string, unknown> = {}, id = `1-${(sequence += 1)}`): RunEvent {
  const read = readRunEvent(type, id, JSON.stringify({ id, run: "run_1", at: AT, ...fields }));
  if (read === null) throw new Error("not an event");
  return read;
}
const started = () => event("run.started", { pipeline: "p", steps: [{ name: "parse", title: "Read" }, { name: "summarize", title: "Write" }], text: "Started" });
const fresh = () => viewOf(run({ status: "queued", started_at: null, finished_at: null }));

test("the steps, their words and their progress follow the events", () => {
  const view = tell(fresh(), [
    started(),
    event("step.started", { step: "parse", text: "Reading" }),
    event("step.progress", { step: "parse", text: "3 of 9 pages", done: 3, total: 9 }),
  ]);
  expect(view.status).toBe("running");
  expect(view.steps[0]).toMatchObject({ status: "running", text: "3 of 9 pages", progress: { done: 3, total: 9 } });
  expect(view.steps[1]).toMatchObject({ status: "waiting" });
  expect(tell(view, [event("step.finished", { step: "parse", text: "9 pages" })]).steps[0]).toMatchObject({ status: "succeeded", text: "9 pages", progress: null });
});

test("an event that was told before changes nothing", () => {
  const delta = event("message.delta", { step: "summarize", message: "summary", delta: "Once " });
  const view = tell(fresh(), [started(), event("step.started", { step: "summarize" }), delta]);
  expect(tell(view, [delta])).toBe(view);
});

test("tokens add up, and a step that starts again writes anew", () => {
  const words = (delta: string) => event("message.delta", { step: "summarize", message: "summary", delta });
  const view = tell(fresh(), [started(), event("step.started", { step: "summarize" }), words("Half a "), words("sen")]);
  expect(view.messages.summary?.text).toBe("Half a sen");
  const again = tell(view, [event("step.retrying", { step: "summarize", attempt: 2, in_seconds: 1, text: "Again" }), event("step.started", { step: "summarize" }), words("Whole.")]);
  expect(again.messages.summary?.text).toBe("Whole.");
  expect(again.steps[1]).toMatchObject({ attempt: 2, status: "running" });
});

test("a snapshot replaces steps and messages and keeps the log", () => {
  const before = tell(fresh(), [started()]);
  const now = run({ status: "running", steps: [{ name: "parse", title: "Read", status: "succeeded", attempt: 1, started_at: AT, finished_at: AT, error: null, is_compensation: false, awaited: null, wake_at: null, items: null }] });
  const view = tell(before, [event("snapshot", { run: now, messages: { summary: "So far" } })]);
  expect(view.steps).toHaveLength(1);
  expect(view.messages.summary?.text).toBe("So far");
  expect(view.log.map(({ text }) => text)).toEqual(["Started"]);
});

test("a cancelled run leaves no step turning", () => {
  const view = tell(fresh(), [started(), event("step.started", { step: "parse" }), event("run.finished", { status: "cancelled", text: "Cancelled" })]);
  expect(view.status).toBe("cancelled");
  expect(view.steps.map(({ status }) => status)).toEqual(["cancelled", "waiting"]);
});

test("findings come in the order they were told", () => {
  const view = tell(fresh(), [started(), event("finding.added", { step: "assess", severity: "high", title: "One" }), event("finding.added", { step: "assess", severity: "low", title: "Two" })]);
  expect(view.findings.map(({ title }) => title)).toEqual(["One", "Two"]);
});

test("ids compare by attempt, then by number", () => {
  expect(isNewer("1-10", "1-9")).toBe(true);
  expect(isNewer("2-1", "1-99")).toBe(true);
  expect(isNewer("1-9", "1-9")).toBe(false);
  expect(isNewer("1-1", null)).toBe(true);
});

test("events of a kind that this page does not know are left out", () => {
  expect(readRunEvent("tool.started", "1-1", "{}")).toBeNull();
  expect(readRunEvent("step.started", "1-1", "not json")).toBeNull();
});

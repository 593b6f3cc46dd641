/** Runs as those meet them who operate: filters, one run, replay, dead letters, lanes. */
import { screen, waitFor, within } from "@testing-library/react";
import { beforeAll, expect, test, vi } from "vitest";
import { letter, OPERATOR, orchestration } from "@/testing/orchestration";
import { open } from "@/testing/render";
import { json, problem, run, serve } from "@/testing/server";

beforeAll(() => {
  Element.prototype.scrollTo = vi.fn();
  HTMLDialogElement.prototype.showModal = function (this: HTMLDialogElement) { this.open = true; };
});

test("filters are kept in the address and sent as they are", async () => {
  const calls = serve(orchestration());
  const { user, router } = open("/runs?status=failed");
  await screen.findByRole("link", { name: "orders" });
  await user.selectOptions(screen.getByLabelText("Pipeline"), "orders");
  await waitFor(() => { expect(router.state.location.search).toEqual({ status: "failed", pipeline: "orders" }); });
  await waitFor(() => { expect(calls.findLast(({ path }) => path === "/v1/runs")?.query.get("pipeline")).toBe("orders"); });
  expect(calls.findLast(({ path }) => path === "/v1/runs")?.query.get("status")).toBe("failed");
});

test("a failed run opens at the step that failed, with its input and trace", async () => {
  serve(orchestration());
  open("/runs/run_1");
  expect(await screen.findByRole("region", { name: "Input" })).toHaveTextContent("chair");
  expect(screen.getByRole("region", { name: "Trace of the last failure" })).toHaveTextContent("Traceback");
  expect(screen.getByText("Failed attempts").parentElement).toHaveTextContent("2");
});

test("what does not fit an input stands at its line, and the run is replayed when it fits", async () => {
  let fits = false;
  const calls = serve(orchestration({
    "POST /v1/runs/run_1/replay": () => (fits ? json(run({ id: "run_2", replay_of: "run_1" }), 202) : problem(422, "Expected `array`, got `str` - at `$.items`")),
    "GET /v1/runs/run_2": () => json(run({ id: "run_2", pipeline: "orders", replay_of: "run_1" })),
    "GET /v1/runs/run_2/events": () => new Response(null, { status: 204 }),
  }));
  const { user, router } = open("/runs/run_1");
  await user.click(await screen.findByRole("button", { name: "Replay" }));
  await user.click(await screen.findByRole("button", { name: "With another input" }));
  const dialog = within(screen.getByRole("dialog"));
  expect(dialog.getByLabelText("The input as JSON")).toHaveValue('{\n  "items": [\n    "chair"\n  ]\n}');
  await user.click(dialog.getByRole("button", { name: "Replay" }));
  expect(await dialog.findByText(/Line 2/)).toHaveTextContent("Expected `array`");
  fits = true;
  await user.click(dialog.getByRole("button", { name: "Replay" }));
  await waitFor(() => { expect(router.state.location.pathname).toBe("/runs/run_2"); });
  expect(calls.findLast(({ method }) => method === "POST")?.body).toEqual({ input: { items: ["chair"] } });
});

test("dead letters of a cause are discarded with a reason, and not without one", async () => {
  const calls = serve(orchestration({ "POST /v1/dead-letters:discard": () => json({ id: "bulk_1", kind: "discard", state: "finished", done: 3, skipped: 0, asked_by: "Mara", asked_at: "", finished_at: "", reason: "", last_problem: null }) }));
  const { user } = open("/runs?tab=dead");
  await user.click(await screen.findByRole("button", { name: "Discard these: item_broken" }));
  const dialog = within(screen.getByRole("dialog"));
  expect(dialog.getByRole("button", { name: "Discard" })).toHaveAttribute("aria-disabled", "true");
  await user.type(dialog.getByLabelText("Reason"), "Called off");
  await user.click(dialog.getByRole("button", { name: "Discard" }));
  await waitFor(() => { expect(calls.findLast(({ method }) => method === "POST")?.body).toEqual({ fingerprint: "f1", reason: "Called off" }); });
});

test("a discard is taken back", async () => {
  const calls = serve(orchestration({
    "GET /v1/dead-letters": () => json({ items: [letter({ state: "discarded", reason: "Called off", decided_by: "Ben" })], next_cursor: null }),
    "POST /v1/dead-letters/dead_1/restore": () => json({ ...letter(), input: null, trace: null }),
  }));
  const { user } = open("/runs?tab=dead&state=discarded");
  expect(await screen.findByText(/Discarded by Ben.*Called off/)).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Undo the discard" }));
  await waitFor(() => { expect(calls.some(({ path }) => path.endsWith("/restore"))).toBe(true); });
});

test("who may not operate sees everything and changes nothing", async () => {
  serve(orchestration({}, OPERATOR.filter((each) => each !== "run.operate")));
  open("/runs/run_1");
  expect(await screen.findByRole("button", { name: "Retry from the failed step" })).toHaveAttribute("aria-disabled", "true");
});

test("lanes show what waits of the tenant, the fullest first, and what is held", async () => {
  const lane = { pipeline: "orders", version: 1, ready: 0, running: 0, oldest_seconds: null, is_paused: false, is_draining: false };
  serve(orchestration({ "GET /v1/lanes": () => json({ items: [
    { ...lane, lane: "orders@1/check", step: "check", running: 2 },
    { ...lane, lane: "orders@1/pack", step: "pack", ready: 1200, oldest_seconds: 90, is_paused: true },
  ] }) }));
  open("/runs?tab=lanes");
  const rows = within(await screen.findByRole("table", { name: "Lanes, the fullest first" })).getAllByRole("row");
  expect(rows[1]).toHaveTextContent("pack Paused");
  expect(rows[2]).toHaveTextContent(/^check(?!.*Paused)/);
  expect(screen.getByRole("group", { name: "Now" })).toHaveTextContent("1,200the oldest for");
});

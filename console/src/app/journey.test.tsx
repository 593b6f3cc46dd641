/** The console as a person meets it, page by page, each with its loading, empty, failed and denied state. */
import { screen, waitFor, within } from "@testing-library/react";
import { beforeAll, expect, test, vi } from "vitest";
import { contract, finding, json, OWNER, problem, report, type Routes, run, serve, session, TEXT } from "@/testing/server";
import { open } from "@/testing/render";

beforeAll(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  Object.defineProperty(document, "fonts", { value: { ready: Promise.resolve() }, configurable: true });
  Element.prototype.scrollIntoView = vi.fn();
  Element.prototype.scrollTo = vi.fn();
  Element.prototype.animate = vi.fn();
});

const page = (items: unknown[], next_cursor: string | null = null) => json({ items, next_cursor });
const base = (permissions?: string[]): Routes => ({
  "GET /v1/session": () => json(session(permissions)),
  "GET /v1/contracts": () => page([contract()]),
  "GET /v1/contracts/ctr_1": () => json(contract()),
  "GET /v1/contracts/ctr_1/report": () => json(report()),
  "GET /v1/contracts/ctr_1/text": () => json(TEXT),
});

async function signIn(answer: () => Response) {
  const calls = serve({ ...base(), "GET /v1/session": () => problem(401, "No credential."), "POST /v1/session": answer });
  const { user, router } = open("/contracts?q=nda");
  await user.type(await screen.findByLabelText("Email"), "mara@acme.example");
  await user.type(screen.getByLabelText("Password"), "secret");
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  return { calls, router };
}

test("signing in leads to the page that was asked for, and changes carry the CSRF token", async () => {
  const { calls, router } = await signIn(() => json(session(), 201));
  await screen.findByRole("heading", { name: "Contracts" });
  expect(router.state.location.search).toEqual({ q: "nda" });
  expect(calls.find(({ method }) => method === "POST")?.body).toEqual({ email: "mara@acme.example", password: "secret" });
});

test("a wrong password is said plainly", async () => {
  await signIn(() => problem(401, "The email or the password is wrong."));
  expect(await screen.findByRole("alert")).toHaveTextContent("Email or password is not right");
});

test("too many attempts are counted down and the button waits", async () => {
  await signIn(() => problem(429, "5 attempts.", {}, { "Retry-After": "30" }));
  const button = await screen.findByRole("button", { name: /Try again in (30|29) s/ });
  expect(button).toHaveAttribute("aria-disabled", "true");
});

test("the list shows contracts with their findings, and the next page on demand", async () => {
  const calls = serve({
    ...base(),
    "GET /v1/contracts": ({ query }) => (query.get("cursor") === "c2" ? page([contract({ id: "ctr_2", title: "Second" })]) : page([contract()], "c2")),
  });
  const { user } = open("/contracts");
  const row = (await screen.findByRole("link", { name: "Agreement" })).closest("tr");
  expect(within(row as HTMLElement).getByRole("img", { name: "1 critical, 1 high" })).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Show more" }));
  await screen.findByRole("link", { name: "Second" });
  expect(calls.at(-1)?.query.get("cursor")).toBe("c2");
});

test("an empty list invites to drop a file, a failed one offers to try again", async () => {
  serve({ ...base(), "GET /v1/contracts": () => page([]) });
  open("/contracts");
  await screen.findByText("Drop a contract here to begin");
});

test("a list that fails says so in the server's words", async () => {
  serve({ ...base(), "GET /v1/contracts": () => problem(500, "The database is away.") });
  open("/contracts");
  expect(await screen.findByRole("alert")).toHaveTextContent("The database is away.");
  expect(screen.getByRole("button", { name: "Try again" })).toBeInTheDocument();
});

test("one who may not upload sees why", async () => {
  serve(base(["ai.output.view"]));
  open("/contracts");
  expect(await screen.findByRole("button", { name: "Upload contracts" })).toHaveAttribute("aria-disabled", "true");
});

test("a finding and its place in the text are linked both ways", async () => {
  serve(base());
  const { user, router } = open("/contracts/ctr_1");
  await user.click(await screen.findByRole("button", { name: /Ten years of renewal/ }));
  expect(router.state.location.search).toMatchObject({ finding: "fnd_2" });
  const mark = await waitFor(() => {
    const found = document.querySelector("mark[data-active]");
    if (found === null) throw new Error("no active mark");
    return found;
  });
  expect(mark).toHaveTextContent("ten years");
  await user.click(document.querySelector('mark[data-marks="fnd_1"]') as Element);
  await waitFor(() => { expect(router.state.location.search).toMatchObject({ finding: "fnd_1" }); });
});

test("j, a and u walk, accept and undo", async () => {
  const calls = serve({ ...base(), "PATCH /v1/contracts/ctr_1/findings/fnd_1": ({ body }) => json(finding(body as object)) });
  const { user } = open("/contracts/ctr_1");
  await screen.findByRole("list", { name: "Findings" });
  await user.keyboard("j");
  await screen.findByRole("button", { name: "Accept" });
  await user.keyboard("a");
  await screen.findByText("1 of 2 decided");
  expect(calls.at(-1)).toMatchObject({ body: { decision: "accepted" } });
  expect(calls.at(-1)?.headers.get("X-CSRF-Token")).toBe("csrf-1");
  expect(await screen.findAllByRole("button", { name: "Undo" })).not.toHaveLength(0);
  await user.keyboard("u");
  await screen.findByText("0 of 2 decided");
});

test("dismissing asks for a reason; a refusal by the server takes the decision back", async () => {
  const calls = serve({ ...base(), "PATCH /v1/contracts/ctr_1/findings/fnd_1": () => problem(409, "Someone else decided meanwhile.") });
  const { user } = open("/contracts/ctr_1?finding=fnd_1");
  await screen.findByRole("button", { name: "Dismiss" });
  await user.keyboard("d");
  await user.click(await screen.findByRole("button", { name: "Dismiss finding" }));
  await screen.findByText("Say why, in a few words.");
  expect(calls.some(({ method }) => method === "PATCH")).toBe(false);
  await user.type(screen.getByLabelText("Reason"), "Agreed");
  await user.click(screen.getByRole("button", { name: "Dismiss finding" }));
  await screen.findByText("Someone else decided meanwhile.");
  expect(calls.at(-1)?.body).toEqual({ decision: "dismissed", reason: "Agreed" });
  await screen.findByText("0 of 2 decided");
});

test("one who may not decide sees the buttons with the reason", async () => {
  serve(base(OWNER.filter((permission) => permission !== "ai.recommendation.approve")));
  open("/contracts/ctr_1?finding=fnd_1");
  expect(await screen.findByRole("button", { name: "Accept" })).toHaveAttribute("aria-disabled", "true");
});

test("the local model's words stand apart, labelled as unverified", async () => {
  serve(base());
  open("/contracts/ctr_1?tab=summary");
  const panel = await screen.findByRole("complementary", { name: "Unverified text of the local model" });
  expect(panel).toHaveTextContent("Unverified, written by the local model");
  expect(panel).toHaveTextContent("The moon is a party.");
  expect(screen.getByRole("button", { name: /^Source 1/ })).toBeInTheDocument();
});

test("a run is followed live and gives way to the report", async () => {
  let done = false;
  const moving = () => contract({ latest_run: done ? run() : run({ status: "running", finished_at: null, steps: [] }) });
  const frames = [
    ["run.started", { pipeline: "p", steps: [{ name: "parse", title: "Read the document" }], text: "Started" }],
    ["step.started", { step: "parse", text: "Reading" }],
    ["message.delta", { step: "parse", message: "summary", delta: "Token by token" }],
  ] as const;
  let finish = () => { done = true; };
  serve({
    ...base(),
    "GET /v1/contracts/ctr_1": () => json(moving()),
    "GET /v1/runs/run_1/events": () => new Response(new ReadableStream<Uint8Array>({
      start(controller) {
        const send = (type: string, fields: object, id: number) => { controller.enqueue(new TextEncoder().encode(`id: 1-${id}\nevent: ${type}\ndata: ${JSON.stringify({ id: `1-${id}`, run: "run_1", at: "2026-05-01T10:00:00Z", ...fields })}\n\n`)); };
        frames.forEach(([type, fields], index) => { send(type, fields, index + 1); });
        finish = () => {
          done = true;
          send("run.finished", { status: "succeeded", text: "The report is ready" }, 9);
        };
      },
    })),
  });
  open("/contracts/ctr_1");
  await screen.findByText("Read the document");
  await screen.findByText("Token by token");
  finish();
  await screen.findByRole("tab", { name: /Findings/ });
});

test("unknown addresses and unknown contracts say so", async () => {
  serve({ ...base(), "GET /v1/contracts/ctr_9": () => problem(404, "There is nothing at this address.") });
  const { router } = open("/contracts/ctr_9");
  await screen.findByText("The contract was not found");
  await router.navigate({ to: "/nowhere" as "/" });
  await screen.findByText("There is no such page");
});

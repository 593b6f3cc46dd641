/** Approvals as a decider meets them: exactly what will be done, and what the server says when it has changed. */
import { screen, waitFor, within } from "@testing-library/react";
import { beforeAll, expect, test } from "vitest";
import { approval, orchestration } from "@/testing/orchestration";
import { open } from "@/testing/render";
import { json, problem, serve } from "@/testing/server";

beforeAll(() => {
  HTMLDialogElement.prototype.showModal = function (this: HTMLDialogElement) { this.open = true; };
});

test("the words of who asks are text, whatever they say", async () => {
  serve(orchestration());
  open("/approvals/apr_1");
  const words = await screen.findByRole("region", { name: "In the words of who asks" });
  expect(words).toHaveTextContent("<img src=x onerror=alert(1)>");
  expect(words.querySelector("img")).toBeNull();
  expect(words.querySelector("strong")).toHaveTextContent("Two");
});

test("what was written before an edit is said to be stale", async () => {
  serve(orchestration({ "GET /v1/approvals/apr_1": () => json(approval({ shown_digest: "b".repeat(64), revision: 2 })) }));
  open("/approvals/apr_1");
  expect(await screen.findByText("The words below were written for an earlier version")).toBeInTheDocument();
});

test("the digest that was shown is what is decided, and another one is said plainly", async () => {
  const calls = serve(orchestration({ "POST /v1/approvals/apr_1/decide": () => problem(409, "Changed.", { code: "approval_voided" }) }));
  const { user } = open("/approvals/apr_1");
  await user.click(await screen.findByRole("button", { name: "Approve" }));
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Approve" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("it was changed after you opened it");
  expect(calls.find(({ method }) => method === "POST")?.body).toEqual({ verdict: "approve", digest: "a".repeat(64), reason: null });
});

test("an edit under four eyes says that it needs another person, and is sent as JSON", async () => {
  let now = approval();
  const calls = serve(orchestration({
    "GET /v1/approvals/apr_1": () => json(now),
    "POST /v1/approvals/apr_1/decide": () => json((now = approval({ may_decide: false, editor: ["user:usr_1"], digest: "c".repeat(64), arguments: { parcels: 1 } }))),
  }));
  const { user } = open("/approvals/apr_1");
  await user.click(await screen.findByRole("button", { name: "Edit, then approve" }));
  const dialog = within(screen.getByRole("dialog"));
  expect(dialog.getByText("Your edit will need another person")).toBeInTheDocument();
  await user.clear(dialog.getByLabelText("The arguments as JSON"));
  await user.type(dialog.getByLabelText("The arguments as JSON"), '{{"parcels": 1}');
  await user.click(dialog.getByRole("button", { name: "Propose the edit" }));
  await waitFor(() => { expect(calls.find(({ method }) => method === "POST")?.body).toMatchObject({ verdict: "edit", edited_arguments: { parcels: 1 } }); });
  expect(await screen.findByText(/another person has to decide it/)).toBeInTheDocument();
});

test("who began it is told that another person decides", async () => {
  serve(orchestration({ "GET /v1/approvals/apr_1": () => json(approval({ may_decide: false, initiator: ["user:usr_1"] })) }));
  open("/approvals/apr_1");
  expect(await screen.findByText(/You began this work/)).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Approve" })).toBeNull();
});

test("the inbox is empty in words, and the frame says how many wait", async () => {
  serve(orchestration({ "GET /v1/approvals": ({ query }) => json({ items: query.get("mine") === "true" ? [] : [approval({ may_decide: false })], next_cursor: null }) }));
  const { user, router } = open("/approvals");
  await screen.findByText("Nothing waits for you");
  await user.click(screen.getByRole("button", { name: "Show all that wait" }));
  expect(await screen.findByRole("link", { name: "Ship two parcels" })).toBeInTheDocument();
  expect(router.state.location.search).toEqual({ show: "asked" });
});

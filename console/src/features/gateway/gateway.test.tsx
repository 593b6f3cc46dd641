/** The gateway as an admin meets it: models, limits, keys, spend, and what the server refuses. */
import { screen, waitFor, within } from "@testing-library/react";
import { beforeAll, expect, test, vi } from "vitest";
import { open } from "@/testing/render";
import { json, problem, serve } from "@/testing/server";
import { gateway, model, policy, providerKey, spend } from "@/testing/gateway";

beforeAll(() => {
  Element.prototype.scrollTo = vi.fn();
});

test("the way to the gateway is shown to those who may see it", async () => {
  serve(gateway({ "GET /v1/contracts": () => json({ items: [], next_cursor: null }) }));
  open("/contracts");
  expect(await screen.findByRole("link", { name: "AI gateway" })).toBeInTheDocument();
});

test("models show lifecycle, price and endpoints; a deprecated one that was called is warned of", async () => {
  serve(gateway({}, [spend({ scope: "model", value: "acme/old-2024-01-01" })]));
  const { user } = open("/gateway");
  const warning = await screen.findByRole("note");
  expect(warning).toHaveTextContent("1 deprecated model was called in the last 30 days");
  expect(warning).toHaveTextContent("ends on Feb 1, 2027; ask for acme/one-2026-01-01 instead");
  const row = screen.getByRole("button", { name: "acme/one-2026-01-01" });
  expect(row.closest("tr")).toHaveTextContent("$1.25");
  await user.click(row);
  expect(within(screen.getByRole("list", { name: "Endpoints of acme/one-2026-01-01" })).getByText("acme-eu")).toBeInTheDocument();
});

test("deprecated models that nobody called are not warned of, and all are when the calls are not known", async () => {
  serve(gateway());
  open("/gateway");
  await screen.findByText("acme/old-2024-01-01");
  await waitFor(() => { expect(screen.queryByRole("note")).toBeNull(); });
});

test("all deprecated models are warned of when the calls are not known", async () => {
  serve(gateway({ "GET /v1/gateway/spend": () => problem(503, "The database is away.") }));
  open("/gateway");
  expect(await screen.findByRole("note")).toHaveTextContent("1 model is deprecated");
});

test("a tenant's own price and what residency rules out are marked", async () => {
  const base = model();
  const own = base.price && { ...base.price, source: "tenant" as const };
  serve(gateway({ "GET /v1/gateway/models": () => json({ items: [model({ price: own }), model({ name: "acme/far", aliases: [], is_admitted: false })] }) }));
  open("/gateway");
  expect((await screen.findByText("acme/one-2026-01-01")).closest("tr")).toHaveTextContent("own price");
  expect(screen.getByText("acme/far").closest("tr")).toHaveTextContent("Outside residency");
});

test("models are found by alias, and the search is kept in the address", async () => {
  serve(gateway());
  const { user, router } = open("/gateway");
  await user.type(await screen.findByLabelText("Search models"), "old");
  await waitFor(() => { expect(screen.queryByText("acme/one-2026-01-01", { selector: "button" })).toBeNull(); });
  expect(router.state.location.search).toEqual({ q: "old" });
});

test("one who may not see the gateway is told so", async () => {
  serve(gateway({ "GET /v1/gateway/models": () => problem(403, "Mara lacks the permission 'gateway.view'.") }, [], []));
  open("/gateway");
  expect(await screen.findByText("Not for your role")).toBeInTheDocument();
});

test("limits stand beside what is used of them", async () => {
  serve(gateway());
  open("/gateway?tab=limits");
  const meter = await screen.findByRole("meter", { name: "Budget a day, used" });
  expect(meter).toHaveAttribute("aria-valuetext", "$4.00 of $5.00");
  expect(meter.closest("li")).toHaveTextContent("$5.00 · $4.00 used, 80 %");
});

test("a limit is added to the policy that was seen", async () => {
  const calls = serve(gateway({ "PUT /v1/gateway/policy": ({ body }) => json(policy({ version: 4, policy: (body as { policy: object }).policy })) }));
  const { user } = open("/gateway?tab=limits");
  await user.click(await screen.findByRole("button", { name: "Add a limit" }));
  await user.selectOptions(screen.getByLabelText("Counted for"), "key");
  await user.type(screen.getByLabelText("Budget a month, USD"), "12.5");
  await user.click(screen.getByRole("button", { name: "Add the limit" }));
  await screen.findByText("Each API key");
  const sent = calls.find(({ method }) => method === "PUT")?.body;
  expect(sent).toEqual({ version: 3, policy: { residency: "eu", limits: [{ scope: "tenant", budget_per_day_micros: 5_000_000 }, { scope: "key", budget_per_month_micros: 12_500_000 }] } });
});

test("when somebody was faster, their version is fetched and the change can be sent again over it", async () => {
  let stored = policy();
  const calls = serve(gateway({
    "GET /v1/gateway/policy": () => json(stored),
    "PUT /v1/gateway/policy": ({ body }) => {
      const sent = body as { policy: object; version: number };
      if (sent.version === 3) {
        stored = policy({ version: 4, policy: { residency: "us", payloads: "drop" } });
        return problem(409, "The policy is at version 4 and not 3.");
      }
      return json((stored = policy({ version: 5, policy: sent.policy })));
    },
  }));
  const { user } = open("/gateway?tab=limits");
  await user.click(await screen.findByRole("switch", { name: "Require pinned versions" }));
  await user.click(screen.getByRole("button", { name: "Save the rules" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("The present version 4 by usr_2 is shown now");
  expect(screen.getByLabelText("Residency")).toHaveValue("us");
  await user.click(screen.getByRole("button", { name: "Save the rules" }));
  await screen.findByText("As it is stored");
  expect(calls.filter(({ method }) => method === "PUT").at(-1)?.body).toEqual({ version: 4, policy: { residency: "us", payloads: "drop", require_pinned: true } });
});

test("what the server objects to in the whole policy is shown at its line", async () => {
  const message = "policy.limits[0].scope is \"all\": it must be one of tenant, user";
  serve(gateway({ "PUT /v1/gateway/policy": () => problem(422, `The policy was not stored: ${message}`, { errors: [{ field: "policy.limits[0].scope", message }] }) }));
  const { user } = open("/gateway?tab=limits");
  await user.click(await screen.findByRole("button", { name: /Edit as JSON/ }));
  await user.type(screen.getByLabelText("The policy as JSON"), " ");
  await user.click(screen.getByRole("button", { name: "Save the policy" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("it must be one of tenant, user");
  expect(document.querySelector('[data-line="5"]')).toHaveTextContent("it must be one of");
});

test("an edit of the whole policy is never put over a newer version unasked", async () => {
  let stored = policy();
  const calls = serve(gateway({
    "GET /v1/gateway/policy": () => json(stored),
    "PUT /v1/gateway/policy": ({ body }) => {
      stored = policy({ version: 4, policy: { residency: "us" } });
      return (body as { version: number }).version === 3 ? problem(409, "The policy is at version 4 and not 3.") : json(policy({ version: 5 }));
    },
  }));
  const { user } = open("/gateway?tab=limits");
  await user.click(await screen.findByRole("button", { name: /Edit as JSON/ }));
  await user.type(screen.getByLabelText("The policy as JSON"), " ");
  await user.click(screen.getByRole("button", { name: "Save the policy" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("version 4 by usr_2");
  expect(screen.getByRole("button", { name: "Save the policy" })).toHaveAttribute("aria-disabled", "true");
  await user.click(screen.getByRole("button", { name: "Put mine in its place" }));
  const sent = () => calls.filter(({ method }) => method === "PUT").at(-1)?.body;
  await waitFor(() => { expect(sent()).toMatchObject({ version: 4, policy: { residency: "eu" } }); });
});

test("one who may only look sees the rules and cannot change them", async () => {
  serve(gateway({}, [], ["gateway.view"]));
  open("/gateway?tab=limits");
  expect(await screen.findByRole("button", { name: "Add a limit" })).toHaveAttribute("aria-disabled", "true");
  expect(screen.queryByRole("group", { name: "Records" })).toBeNull();
  expect(screen.getByText("Spooled")).toBeInTheDocument();
});

test("a key goes in, is never shown, and the server's refusal stays beside it", async () => {
  let refuse = true;
  const calls = serve(gateway({
    "PUT /v1/gateway/provider-keys/anthropic": () => (refuse ? problem(422, "The key has 5 characters; it needs 8 to 8,192.") : json(providerKey({ provider: "anthropic", last_four: "6789" }))),
  }));
  const { user } = open("/gateway?tab=keys");
  await user.click(await screen.findByRole("button", { name: "Set a key" }));
  await user.selectOptions(screen.getByLabelText("Provider"), "anthropic");
  const field = screen.getByLabelText("Key");
  expect(field).toHaveAttribute("type", "password");
  await user.type(field, "short");
  await user.click(screen.getByRole("button", { name: "Store the key" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("it needs 8 to 8,192");
  refuse = false;
  await user.type(field, "-but-longer-6789");
  await user.click(screen.getByRole("button", { name: "Store the key" }));
  await waitFor(() => { expect(screen.queryByLabelText("Key")).toBeNull(); });
  expect(calls.filter(({ method }) => method === "PUT").at(-1)?.body).toEqual({ key: "short-but-longer-6789" });
  expect(document.body.innerHTML).not.toContain("short-but-longer");
});

test("an unreadable key says so, and deleting asks first", async () => {
  const calls = serve(gateway({
    "GET /v1/gateway/provider-keys": () => json({ items: [providerKey({ state: "unreadable", trouble: "It was sealed under a key that is gone." })] }),
    "DELETE /v1/gateway/provider-keys/openai": () => new Response(null, { status: 204 }),
  }));
  const { user } = open("/gateway?tab=keys");
  expect(await screen.findByRole("alert")).toHaveTextContent("Calls to OpenAI are refused: this key cannot be readIt was sealed under a key that is gone.");
  await user.click(screen.getByRole("button", { name: "Delete the key for OpenAI" }));
  expect(calls.some(({ method }) => method === "DELETE")).toBe(false);
  await user.click(screen.getByRole("button", { name: "Delete the key" }));
  await waitFor(() => { expect(calls.some(({ method }) => method === "DELETE")).toBe(true); });
});

test("spend is shown by day and by model", async () => {
  serve(gateway({}, [spend(), spend({ scope: "model", value: "acme/one-2026-01-01", cost_micros: 3_000_000 })]));
  const { user, router } = open("/gateway?tab=spend");
  expect(await screen.findByRole("figure", { name: /^Money a day; the most was \$4\.00/ })).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Model" }));
  expect((await screen.findByRole("rowheader", { name: "acme/one-2026-01-01" })).closest("tr")).toHaveTextContent("75 %");
  expect(router.state.location.search).toEqual({ tab: "spend", by: "model" });
});

test("a tenant without a call, a key or a limit is told what would be there", async () => {
  serve(gateway({ "GET /v1/gateway/policy": () => json(policy({ version: 0, policy: {}, updated_at: null, updated_by: null })), "GET /v1/gateway/provider-keys": () => json({ items: [] }) }, []));
  const { user } = open("/gateway?tab=spend");
  await screen.findByText("Nothing was spent");
  await user.click(screen.getByRole("tab", { name: "Provider keys" }));
  await screen.findByText("No keys of your own");
  await user.click(screen.getByRole("tab", { name: "Limits & budgets" }));
  await screen.findByText("Nothing is limited");
});

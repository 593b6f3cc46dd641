import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { json, problem, serve, session } from "@/testing/server";
import { open } from "@/testing/render";

const KEY = { id: "key_1", name: "Import", prefix: "ms_abcd", scopes: ["ai.output.view"], created_at: "2026-05-01T10:00:00Z", expires_at: null, revoked_at: null, last_used_at: null };

test("a key's secret is shown once and gone when closed", async () => {
  const calls = serve({
    "GET /v1/session": () => json(session()),
    "GET /v1/api-keys": () => json({ items: [KEY], next_cursor: null }),
    "POST /v1/api-keys": () => json({ ...KEY, secret: "ms_abcd_shown_once" }, 201),
  });
  const { user } = open("/settings/api-keys");
  await user.click(await screen.findByRole("button", { name: "Create key" }));
  await user.type(screen.getByLabelText("Name"), "Import");
  await user.click(screen.getByRole("button", { name: "Create" }));
  expect(await screen.findByTestId("secret")).toHaveTextContent("ms_abcd_shown_once");
  expect(calls.find(({ method }) => method === "POST")?.body).toMatchObject({ name: "Import", scopes: ["ai.analysis.trigger", "ai.output.view", "contract.upload"] });
  await user.click(screen.getByRole("button", { name: "I have stored it" }));
  expect(screen.queryByText("ms_abcd_shown_once")).toBeNull();
});

test("revoking asks first and stays open with the server's reason", async () => {
  serve({
    "GET /v1/session": () => json(session()),
    "GET /v1/api-keys": () => json({ items: [KEY], next_cursor: null }),
    "DELETE /v1/api-keys/key_1": () => problem(503, "The database is away."),
  });
  const { user } = open("/settings/api-keys");
  await user.click(await screen.findByRole("button", { name: "Revoke" }));
  await user.click(screen.getByRole("button", { name: "Revoke key" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("The database is away.");
});

test("one whose role may not see the keys is told so", async () => {
  serve({ "GET /v1/session": () => json(session(["ai.output.view"])), "GET /v1/api-keys": () => problem(403, "Mara lacks the permission 'key.manage'.") });
  open("/settings/api-keys");
  expect(await screen.findByText("Not for your role")).toBeInTheDocument();
});

import { screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { json, problem, serve, session } from "@/testing/server";
import { open } from "@/testing/render";

const PLAYBOOK = { name: "buyer", version: 2, title: "Buyer", side: "buyer", rules: 1, is_default: true, updated_at: "2026-05-01T10:00:00Z", yaml: "rules:\n  - id: cap\n" };

test("what the server objects to is shown at its line, and gone with the next edit", async () => {
  Element.prototype.scrollTo = vi.fn();
  const calls = serve({
    "GET /v1/session": () => json(session()),
    "GET /v1/playbooks/buyer": () => json(PLAYBOOK),
    "GET /v1/playbooks/buyer/versions": () => json({ items: [PLAYBOOK], next_cursor: null }),
    "PUT /v1/playbooks/buyer": () => problem(422, "The playbook is not valid.", { errors: [{ field: "line 2", message: "a rule needs a severity" }] }),
  });
  const { user } = open("/settings/playbooks/buyer");
  const editor = await screen.findByLabelText("YAML of buyer");
  expect(screen.getByRole("button", { name: "Save as new version" })).toHaveAttribute("aria-disabled", "true");
  await user.type(editor, "x");
  await user.click(screen.getByRole("button", { name: "Save as new version" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Line 2 a rule needs a severity");
  expect(document.querySelector('[data-line="2"]')).toHaveTextContent("a rule needs a severity");
  expect(calls.at(-1)?.body).toEqual({ yaml: `${PLAYBOOK.yaml}x`, base_version: 2 });
  await user.type(editor, "y");
  expect(screen.queryByRole("alert")).toBeNull();
});

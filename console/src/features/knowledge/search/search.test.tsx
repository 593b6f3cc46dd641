/** Searching as those meet it who look for something: hits, why, and no hit. */
import { screen, waitFor } from "@testing-library/react";
import { beforeAll, expect, test, vi } from "vitest";
import { answer, knowledge, passage, WORDS } from "@/testing/knowledge";
import { open } from "@/testing/render";
import { json, problem, serve } from "@/testing/server";
import { excerptOf } from "./excerpt";

beforeAll(() => {
  Element.prototype.scrollTo = vi.fn();
});

const asking = (reply: () => Response) => serve(knowledge({ "POST /v1/knowledge/search": reply }));

test("a question is kept in the address, and its hits open at their place", async () => {
  const calls = asking(() => json(answer()));
  const { user, router } = open("/search");
  await user.type(await screen.findByLabelText("Search all documents"), "trains{Enter}");
  const hit = await screen.findByRole("link", { name: "Handbook" });
  expect(router.state.location.search).toEqual({ q: "trains" });
  expect(hit).toHaveAttribute("href", `/knowledge/documents/doc_1?start=${WORDS.indexOf("Trains")}&end=${WORDS.length}`);
  expect(screen.getByText("Trains are booked in second class.", { selector: "mark" })).toBeInTheDocument();
  expect(calls.find(({ method }) => method === "POST")?.body).toEqual({ text: "trains", explain: true, filters: { sources: [], document_types: [], labels: [] } });
});

test("a hit in a contract opens the contract", async () => {
  asking(() => json(answer({ passages: [passage({ document: { id: "doc_7", name: "Agreement", source: "contracts", uri: null } })] })));
  open("/search?q=trains");
  expect(await screen.findByRole("link", { name: "Agreement" })).toHaveAttribute("href", expect.stringMatching(/^\/contracts\/ctr_7\?start=\d+&end=\d+$/));
});

test("a hit says why it was found", async () => {
  asking(() => json(answer()));
  const { user } = open("/search?q=trains");
  await user.click(await screen.findByText("Explain"));
  expect(screen.getByRole("row", { name: /Meaning 1 0\.610/ })).toBeInTheDocument();
  expect(screen.getByText("train 2.50")).toBeInTheDocument();
});

test("filters go with the question and stay in the address", async () => {
  const calls = asking(() => json(answer()));
  const { user, router } = open("/search?q=trains");
  await screen.findByRole("option", { name: "handbook" });
  await user.selectOptions(screen.getByLabelText("Source"), "handbook");
  await user.type(screen.getByLabelText("Label"), "travel{Enter}");
  await waitFor(() => { expect(calls.filter(({ method }) => method === "POST").at(-1)?.body).toMatchObject({ filters: { sources: ["handbook"], labels: ["travel"] } }); });
  expect(router.state.location.search).toEqual({ q: "trains", source: "handbook", label: "travel" });
});

test.each([
  ["nothing_relevant", "Nothing relevant"],
  ["filtered_out", "Nothing under these filters"],
  ["no_documents", "There is nothing to search yet"],
] as const)("no passage is an answer: %s", async (reason, title) => {
  asking(() => json(answer({ passages: [], reason })));
  open("/search?q=moon");
  expect(await screen.findByText(title)).toBeInTheDocument();
  expect(screen.getByText("No passage")).toBeInTheDocument();
});

test("a search that fails can be tried again", async () => {
  let away = true;
  asking(() => (away ? problem(503, "The database is away.") : json(answer())));
  const { user } = open("/search?q=trains");
  await screen.findByText("The database is away.");
  away = false;
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("link", { name: "Handbook" })).toBeInTheDocument();
});

test("a long passage is cut around its quote, counted in characters", () => {
  const text = `\u{1F4DC} ${"before ".repeat(60)}THE QUOTE ${"after ".repeat(90)}`;
  const start = Array.from(text).indexOf("T");
  const long = passage({ text, span: { start: 100, end: 100 + Array.from(text).length }, citation: { start: 100 + start, end: 100 + start + 9, quote: "THE QUOTE", page: null, fragment: "" } });
  const cut = excerptOf(long, false);
  expect(cut.quote).toBe("THE QUOTE");
  expect(cut.isCut).toBe(true);
  expect(cut.before.startsWith("… ")).toBe(true);
  const whole = excerptOf(long, true);
  expect(whole.before + whole.quote + whole.after).toBe(text);
});

/** Knowledge as those meet it who bring documents and who set it up: what they see, change, and are refused. */
import { screen, waitFor, within } from "@testing-library/react";
import { beforeAll, expect, test, vi } from "vitest";
import { entry, index, knowledge, MANAGER, PARSED, PREVIEW, settings, source, standing } from "@/testing/knowledge";
import { open } from "@/testing/render";
import { json, problem, serve } from "@/testing/server";
import type { KnowledgeDocument } from "./shapes";

beforeAll(() => {
  Element.prototype.scrollTo = vi.fn();
  Object.defineProperty(document, "fonts", { value: { ready: Promise.resolve() } });
});

const FAILED = entry({ id: "doc_2", name: "locked.pdf", title: null, status: "failed", error: { code: "encrypted_pdf", detail: "It asks for a password; store it without one." } });

test("documents show where they stand, who may read them, and why they failed", async () => {
  serve(knowledge({}, [entry({ readers: ["role:admin", "team:team_1"] }), FAILED]));
  open("/knowledge");
  const row = (await screen.findByRole("link", { name: "Handbook" })).closest("tr");
  await waitFor(() => { expect(row).toHaveTextContent("Admins, Legal"); });
  const failed = screen.getByText("locked.pdf", { selector: "a" }).closest("tr");
  expect(failed).toHaveTextContent("store it without one");
  expect(failed).toHaveTextContent("otherwise upload a mended file");
});

test("a failed document is tried again, and so are all that failed for one cause", async () => {
  const other = entry({ id: "doc_3", name: "odd.bin", status: "failed", error: { code: "no_text", detail: "Empty." } });
  const calls = serve(knowledge({
    "GET /v1/knowledge/status": () => json(standing({ documents: { indexed: 0, pending: 0, failed: 2 }, failures: [{ code: "encrypted_pdf", documents: 1, example: { document: "doc_2", name: "locked.pdf", detail: "It asks for a password.", failed_at: FAILED.updated_at } }] })),
    "POST /v1/knowledge/documents/doc_2/runs": () => json({ document: FAILED, run: null, stream_url: null }, 202),
  }, [FAILED, other]));
  const { user } = open("/knowledge");
  const runs = () => calls.filter(({ method }) => method === "POST").map(({ path }) => path);
  await user.click(await screen.findByRole("button", { name: "Try again: locked.pdf" }));
  await waitFor(() => { expect(runs()).toHaveLength(1); });
  await user.click(screen.getByRole("button", { name: "Try again: Asks for a password" }));
  expect(await screen.findByText("1 document tried again")).toBeInTheDocument();
  expect(runs()).toEqual(["/v1/knowledge/documents/doc_2/runs", "/v1/knowledge/documents/doc_2/runs"]);
});

test("a document that is being indexed says how far it is, by the events of its run", async () => {
  const steps = [{ name: "parse", title: "Read the document" }, { name: "embed", title: "Compute" }];
  const lines = [
    `id: 1-1\nevent: run.started\ndata: ${JSON.stringify({ id: "1-1", run: "run_1", at: "", pipeline: "p", steps })}\n\n`,
    `id: 1-2\nevent: step.started\ndata: ${JSON.stringify({ id: "1-2", run: "run_1", at: "", step: "embed", text: "Computing" })}\n\n`,
    `id: 1-3\nevent: step.progress\ndata: ${JSON.stringify({ id: "1-3", run: "run_1", at: "", step: "embed", done: 3, total: 6, text: "Embedded 3 of 6 passages" })}\n\n`,
  ];
  const stream = () => new Response(new ReadableStream({ start: (controller) => { controller.enqueue(new TextEncoder().encode(lines.join(""))); } }), { headers: { "Content-Type": "text/event-stream" } });
  serve(knowledge({ "GET /v1/runs/run_1/events": stream }, [entry({ status: "pending" })]));
  open("/knowledge");
  expect(await screen.findByText("Embedded 3 of 6 passages")).toBeInTheDocument();
  expect(screen.getByRole("progressbar", { name: "handbook.md: 75 percent indexed" })).toBeInTheDocument();
});

test("filters are kept in the address, and a list that they empty can be cleared", async () => {
  serve(knowledge());
  const { user, router } = open("/knowledge");
  await user.click(await screen.findByRole("button", { name: "Failed" }));
  await screen.findByText("No document matches");
  expect(router.state.location.search).toEqual({ status: "failed" });
  await user.click(screen.getByRole("button", { name: "Clear search and filters" }));
  expect(await screen.findByRole("link", { name: "Handbook" })).toBeInTheDocument();
});

test("a manager opens a document to some, and the server is told exactly those", async () => {
  const calls = serve(knowledge({ "PUT /v1/knowledge/documents/doc_1/readers": () => json(entry()) }));
  const { user } = open("/knowledge");
  await user.click(await screen.findByRole("button", { name: "More for handbook.md" }));
  await user.click(await screen.findByRole("menuitem", { name: "Who may read it" }));
  await user.click(screen.getByRole("button", { name: "Only some" }));
  expect(screen.getByText("Nobody is chosen: nobody could read it.")).toBeInTheDocument();
  await user.click(await screen.findByRole("checkbox", { name: "Legal" }));
  await user.click(screen.getByRole("checkbox", { name: "Admins" }));
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => { expect(calls.find(({ method }) => method === "PUT")?.body).toEqual({ readers: ["team:team_1", "role:admin"] }); });
});

test("deleting asks first", async () => {
  const calls = serve(knowledge({ "DELETE /v1/knowledge/documents/doc_1": () => new Response(null, { status: 204 }) }));
  const { user } = open("/knowledge");
  await user.click(await screen.findByRole("button", { name: "More for handbook.md" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete" }));
  expect(calls.some(({ method }) => method === "DELETE")).toBe(false);
  await user.click(screen.getByRole("button", { name: "Delete the document" }));
  await waitFor(() => { expect(calls.some(({ method }) => method === "DELETE")).toBe(true); });
});

test("one who may only look may neither upload nor set up", async () => {
  serve(knowledge({}, [], ["knowledge.view"]));
  const { user } = open("/knowledge");
  await screen.findByText("Drop documents here to begin");
  const buttons = screen.getAllByRole("button", { name: "Upload documents" });
  for (const button of buttons) expect(button).toHaveAttribute("aria-disabled", "true");
  await user.click(screen.getByRole("tab", { name: "Settings" }));
  expect(await screen.findByRole("textbox", { name: "Contract: Longest, characters" })).toHaveAttribute("readonly");
  expect(screen.queryByRole("button", { name: "Save the settings" })).toBeNull();
  await user.click(screen.getByRole("tab", { name: "Sources" }));
  expect(await screen.findByRole("button", { name: "Add a source" })).toHaveAttribute("aria-disabled", "true");
});

test("one who may not see knowledge has no way there and is told so", async () => {
  const refuse = () => problem(403, "Mara lacks the permission 'knowledge.view'.");
  serve(knowledge({ "GET /v1/knowledge/status": refuse, "GET /v1/knowledge/documents": refuse, "GET /v1/knowledge/sources": refuse }, [], []));
  open("/knowledge");
  expect((await screen.findAllByText("Not for your role")).length).toBeGreaterThan(0);
  expect(screen.queryByRole("link", { name: "Knowledge" })).toBeNull();
});

test("a source is set up with a secret that is never shown, and refusals stand at their fields", async () => {
  let refuse = true;
  const calls = serve(knowledge({
    "POST /v1/knowledge/sources": () => (refuse ? problem(422, "The body is wrong.", { errors: [{ field: "body.config.url.max_pages", message: "must be at most 5000" }] }) : json(source({ name: "wiki" }), 201)),
  }));
  const { user } = open("/knowledge?tab=sources");
  expect((await screen.findByText("handbook")).closest("li")).toHaveTextContent("Secret stored");
  await user.click(screen.getByRole("button", { name: "Add a source" }));
  await user.type(screen.getByLabelText("Name"), "wiki");
  await user.type(screen.getByLabelText("Pages"), "https://wiki.example/a");
  await user.type(screen.getByLabelText("Secret"), "Bearer abc");
  await user.click(screen.getByRole("button", { name: "Add the source" }));
  expect(await screen.findByText("must be at most 5000")).toBeInTheDocument();
  expect(screen.getByLabelText("Pages at most")).toHaveAttribute("aria-invalid", "true");
  refuse = false;
  await user.click(screen.getByRole("button", { name: "Add the source" }));
  await waitFor(() => { expect(screen.queryByLabelText("Secret")).toBeNull(); });
  const sent = calls.filter(({ method }) => method === "POST").at(-1)?.body;
  expect(sent).toEqual({ name: "wiki", config: { kind: "url", urls: ["https://wiki.example/a"], sitemap: null, follows_links: false, max_pages: 200 }, document_type: null, every_seconds: 86400, readers: null, secret: "Bearer abc" });
  expect(document.body.innerHTML).not.toContain("Bearer abc");
});

test("pausing a source changes nothing else of it", async () => {
  const calls = serve(knowledge({ "PATCH /v1/knowledge/sources/handbook": () => json(source({ is_paused: true })) }));
  const { user } = open("/knowledge?tab=sources");
  await user.click(await screen.findByRole("button", { name: "More for handbook" }));
  await user.click(await screen.findByRole("menuitem", { name: "Pause" }));
  await waitFor(() => { expect(calls.find(({ method }) => method === "PATCH")?.body).toEqual({ is_paused: true }); });
});

test("settings are saved over the version that was seen, and what is wrong stands at its field", async () => {
  const calls = serve(knowledge({
    "PUT /v1/knowledge/settings": ({ body }) => {
      const { value } = body as { value: { chunking: { contract: { max_chars: number } } } };
      const place = "chunking.contract.max_chars";
      return value.chunking.contract.max_chars < 100 ? problem(422, "One problem.", { errors: [{ field: place, message: "max_chars is 50, but must be between 100 and 20,000" }] }) : json(settings({ version: 3, needs_rebuild: true }));
    },
  }));
  const { user } = open("/knowledge?tab=settings");
  const field = await screen.findByRole("textbox", { name: "Contract: Longest, characters" });
  await user.clear(field);
  await user.type(field, "50");
  await user.click(screen.getByRole("button", { name: "Save the settings" }));
  expect(await screen.findByText(/must be between 100/)).toBeInTheDocument();
  expect(field).toHaveAttribute("aria-invalid", "true");
  await user.type(field, "0");
  await user.click(screen.getByRole("button", { name: "Save the settings" }));
  expect(await screen.findByText("The index that is searched was made by other settings")).toBeInTheDocument();
  const sent = calls.filter(({ method }) => method === "PUT").at(-1)?.body as { base_version: number; value: object };
  expect(sent.base_version).toBe(2);
  expect(sent.value).toEqual({ ...settings().value, chunking: { ...settings().value.chunking, contract: { chunker: "clause", max_chars: 500, item_chars: 1500, min_chars: 120 } } });
});

test("when somebody was faster, their change is shown with mine over it and both are saved", async () => {
  let stored = settings();
  const calls = serve(knowledge({
    "GET /v1/knowledge/settings": () => json(stored),
    "PUT /v1/knowledge/settings": ({ body }) => {
      if ((body as { base_version: number }).base_version === 3) return json((stored = settings({ version: 4 })));
      stored = settings({ version: 3, value: { ...settings().value, reindex_chunks_per_minute: 77 } });
      return problem(409, "Version 3 was saved meanwhile.");
    },
  }));
  const { user } = open("/knowledge?tab=settings");
  const field = await screen.findByRole("textbox", { name: "Contract: Longest, characters" });
  await user.clear(field);
  await user.type(field, "900");
  await user.click(screen.getByRole("button", { name: "Save the settings" }));
  expect(await screen.findByText(/somebody saved other settings/)).toBeInTheDocument();
  await waitFor(() => { expect(screen.getByLabelText("Chunks a minute")).toHaveValue("77"); });
  expect(field).toHaveValue("900");
  await user.click(screen.getByRole("button", { name: "Save the settings" }));
  await waitFor(() => { expect(calls.filter(({ method }) => method === "PUT").at(-1)?.body).toMatchObject({ base_version: 3, value: { reindex_chunks_per_minute: 77, chunking: { contract: { max_chars: 900 } } } }); });
});

test("an old version is saved again over the present one", async () => {
  const calls = serve(knowledge({ "PUT /v1/knowledge/settings": () => json(settings({ version: 3 })) }));
  const { user } = open("/knowledge?tab=settings");
  await user.click(await screen.findByRole("button", { name: "Save it again: version 1" }));
  await waitFor(() => { expect(calls.find(({ method }) => method === "PUT")?.body).toMatchObject({ base_version: 2, note: "As version 1", value: { reindex_chunks_per_minute: 10 } }); });
});

test("settings are tried on a document before they are saved", async () => {
  const calls = serve(knowledge({ "POST /v1/knowledge/settings:preview": () => json(PREVIEW) }));
  const { user } = open("/knowledge?tab=settings");
  const field = await screen.findByRole("textbox", { name: "Text: Longest, characters" });
  await user.clear(field);
  await user.type(field, "900");
  await user.click(await screen.findByRole("button", { name: "Cut it" }));
  const text = await screen.findByRole("document", { name: "The document as it would be cut" });
  expect(text.querySelectorAll("[data-chunk]")).toHaveLength(2);
  expect(text).toHaveTextContent("Chunk 2 9 tokens · Travel");
  expect(calls.find(({ method }) => method === "POST")?.body).toMatchObject({ document: "doc_1", value: { chunking: { text: { max_chars: 900 } } } });
});

test("an index that is being built shows how full it is, is compared, and switched to", async () => {
  const building = index({ id: "idx_2", number: 2, status: "building", current: 1, activated_at: null });
  const calls = serve(knowledge({
    "GET /v1/knowledge/indexes": () => json({ items: [building, index()], total_documents: 4 }),
    "GET /v1/knowledge/indexes/idx_2/comparison": () => json({ index: "idx_2", queries: 20, overlap: 0.9, rank_correlation: 0.8 }),
    "POST /v1/knowledge/indexes/idx_2:switch": () => json(building),
  }));
  const { user } = open("/knowledge?tab=indexes");
  expect(await screen.findByRole("progressbar", { name: "Index 2: 25 percent filled" })).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Compare" }));
  expect(await screen.findByText(/both find 90 %/)).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Switch to it" }));
  await user.click(screen.getByRole("checkbox", { name: /Switch although/ }));
  await user.click(screen.getByRole("button", { name: "Switch" }));
  await waitFor(() => { expect(calls.find(({ path }) => path.endsWith(":switch"))?.body).toEqual({ force: true }); });
});

test("a document opens at its place and shows where its chunks begin", async () => {
  const start = PARSED.text.indexOf("Trains");
  serve(knowledge());
  const { user, router } = open(`/knowledge/documents/doc_1?start=${start}&end=${start + 6}`);
  expect(await screen.findByText("Trains", { selector: "mark" })).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "With chunks" }));
  expect(await screen.findByText("2 chunks")).toBeInTheDocument();
  expect(router.state.location.search).toEqual({ start, end: start + 6, chunks: "shown" });
  const text = screen.getByRole("document");
  expect(within(text).getByText("Chunk 2")).toBeInTheDocument();
});

test("a document that cannot be read says why, and one that is closed shows its name only", async () => {
  const routes = (document: KnowledgeDocument) => knowledge({ "GET /v1/knowledge/documents/doc_1/text": () => problem(409, "Not yet.", { code: "document_not_parsed" }) }, [document], MANAGER);
  serve(routes(entry({ status: "failed", error: { code: "no_text", detail: "There are no words in it." } })));
  open("/knowledge/documents/doc_1");
  expect(await screen.findByText("There are no words in it.")).toBeInTheDocument();
});

test("a manager who is no reader sees the name and not the text", async () => {
  serve(knowledge({}, [entry({ readable: false, readers: ["role:owner"] })]));
  open("/knowledge/documents/doc_1");
  expect(await screen.findByText("Not open to you")).toBeInTheDocument();
  expect(screen.queryByRole("link", { name: "Original" })).toBeNull();
});


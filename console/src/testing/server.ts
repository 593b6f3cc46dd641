/** For tests: a fake of the API behind fetch, and the samples it answers with. */
import { vi } from "vitest";
import type { Contract, ContractText, Finding, Report, Run, Session } from "@/api/schema";

export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  headers: Headers;
}
type Answer = Response | Promise<Response>;
export type Routes = Record<string, (call: Call) => Answer>;

/** What the frame of every page asks for by itself; not recorded. */
const FRAME: Routes = { "GET /v1/approvals": () => json({ items: [], next_cursor: null }) };

/** Answers "METHOD /path"; records every call. */
export function serve(routes: Routes): Call[] {
  const calls: Call[] = [];
  vi.stubGlobal("fetch", async (input: Request | string, init?: RequestInit) => {
    const request = input instanceof Request ? input : new Request(new URL(input, location.origin), init);
    const url = new URL(request.url);
    const text = request.method === "GET" ? "" : await request.text();
    const call = { method: request.method, path: url.pathname, query: url.searchParams, body: text === "" ? undefined : (JSON.parse(text) as unknown), headers: request.headers };
    const name = `${call.method} ${call.path}`;
    if (routes[name] !== undefined || FRAME[name] === undefined) calls.push(call);
    const route = routes[name] ?? FRAME[name];
    if (route === undefined) throw new Error(`unanswered request: ${call.method} ${call.path}`);
    return route(call);
  });
  return calls;
}

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}

export function problem(status: number, detail: string, extra: Record<string, unknown> = {}, headers: Record<string, string> = {}): Response {
  const body = { type: "about:blank", title: `Problem ${status}`, status, detail, code: `code_${status}`, retryable: false, ...extra };
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/problem+json", ...headers } });
}

export const OWNER = ["ai.analysis.trigger", "ai.output.view", "ai.recommendation.approve", "contract.upload", "contract.delete", "playbook.edit", "tenant.manage", "member.view", "member.manage", "key.manage"];

export function session(permissions: string[] = OWNER): Session {
  const tenant = { id: "ten_1", slug: "acme", name: "Acme Legal", ai_enabled: true };
  return { user: { id: "usr_1", email: "mara@acme.example", name: "Mara" }, tenant, role: "owner", permissions, csrf_token: "csrf-1", tenants: [{ ...tenant, role: "owner" }] };
}

export function run(part: Partial<Run> = {}): Run {
  return { id: "run_1", pipeline: "contracts.analyze", version: 1, status: "succeeded", subject: "ctr_1", created_at: "2026-05-01T10:00:00Z", started_at: "2026-05-01T10:00:01Z", finished_at: "2026-05-01T10:00:09Z", steps: [], error: null, retry_of: null, replay_of: null, parent: null, initiated_by: "Mara", cost_micros: 0, cost_ceiling_micros: null, ...part };
}

export function contract(part: Partial<Contract> = {}): Contract {
  return { id: "ctr_1", name: "agreement.pdf", media_type: "application/pdf", size_bytes: 12_000, sha256: "", pages: 2, language: "en", title: "Agreement", created_at: "2026-05-01T10:00:00Z", created_by: "Mara", latest_run: run(), findings: { critical: 1, high: 1, medium: 0, low: 0, info: 0, open: 2 }, playbook: "buyer", ...part };
}

const PARAGRAPHS = ["1. Term", "1.1 It renews for ten years.", "2. Liability", "2.1 Liability is capped at one month."];
const WORDS = PARAGRAPHS.join("\n\n");
const NUMBERS = ["1", "1.1", "2", "2.1"];
export const TEXT: ContractText = {
  text: WORDS,
  pages: [{ number: 1, start: 0, end: WORDS.indexOf("2.1") }, { number: 2, start: WORDS.indexOf("2.1"), end: WORDS.length }],
  blocks: PARAGRAPHS.map((words, index) => ({
    kind: index % 2 === 0 ? "heading" : "paragraph",
    start: WORDS.indexOf(words),
    end: WORDS.indexOf(words) + words.length,
    number: NUMBERS[index] ?? null,
    level: 1 + (index % 2),
  })),
  chunks: [{ index: 0, start: 9, end: 37, number: "1.1", heading_path: ["Term"], page: 1, labels: [] }],
  definitions: [],
  warnings: [],
};

export function cite(quote: string) {
  const start = WORDS.indexOf(quote);
  return { start, end: start + quote.length, quote, page: 1, chunk: 0 };
}

export function finding(part: Partial<Finding> = {}): Finding {
  return { id: "fnd_1", rule: "cap", kind: "limit", severity: "critical", title: "Cap of one month", why: "Too low.", category: "cap_on_liability", citations: [cite("capped at one month")], suggestion: "Twelve months.", method: "rule", confidence: 0.9, decision: "open", decided_by: null, decided_at: null, reason: null, edited: null, ...part };
}

export function report(part: Partial<Report> = {}): Report {
  const findings = [finding(), finding({ id: "fnd_2", severity: "high", title: "Ten years of renewal", citations: [cite("ten years")], method: "classifier" })];
  return {
    contract: contract(), run_id: "run_1", playbook: { name: "buyer", version: 2 }, generated_at: "2026-05-01T10:00:09Z", method: "deterministic", ai_enabled: true,
    methods: { classify: "classifier", assess: "rule", summarize: "rule" },
    summary: { method: "rule", dropped: 1, sentences: [{ text: "It renews for ten years.", citations: [cite("renews for ten years")] }] },
    model_text: { text: "The moon is a party.", model: "local-135m", label: "unverified" },
    facts: [{ name: "renewal", value: "ten years", normalized: "P10Y", method: "rule", confidence: 0.8, citations: [cite("ten years")] }],
    categories: [], findings, counts: { critical: 1, high: 1, medium: 0, low: 0, info: 0, open: 2 }, warnings: [], ...part,
  };
}

/** What the address bar may hold, route by route. */
import type { ApprovalState, RunStatus } from "@/api/schema";

export interface SignInSearch {
  next?: string;
  tenant?: string;
}
export interface ListSearch {
  q?: string;
  status?: RunStatus;
}
export interface ContractSearch {
  view?: "run";
  tab?: "summary" | "facts" | "clauses" | "text";
  finding?: string;
  severity?: string;
  decision?: string;
  start?: number;
  end?: number;
  chunks?: "shown";
}
export interface KnowledgeSearch {
  tab?: "sources" | "settings" | "indexes";
  q?: string;
  status?: "pending" | "indexed" | "failed";
  source?: string;
  try?: string;
}
export interface DocumentSearch {
  start?: number;
  end?: number;
  chunks?: "shown";
}
export interface SearchSearch {
  q?: string;
  source?: string;
  type?: string;
  label?: string;
}
export interface RunsSearch {
  tab?: "dead" | "lanes" | "schedules";
  status?: RunStatus;
  pipeline?: string;
  step?: string;
  error?: string;
  subject?: string;
  parent?: string;
  since?: "1h" | "24h" | "7d" | "span";
  after?: string;
  before?: string;
  group?: string;
  letter?: string;
  state?: "replayed" | "discarded";
}
export interface RunSearch {
  step?: string;
  item?: number;
  items?: "failed";
}
export interface ApprovalsSearch {
  show?: "asked" | "all";
  status?: ApprovalState;
  run?: string;
}
export interface DeliveriesSearch {
  state?: "pending" | "held" | "delivered" | "failed";
  delivery?: string;
}
export interface GatewaySearch {
  tab?: "limits" | "keys" | "spend";
  q?: string;
  show?: "chat" | "embedding" | "deprecated";
  days?: 7 | 90;
  by?: "model" | "key" | "feature" | "user";
}

type Raw = Record<string, unknown>;

/** Numbers and booleans come parsed out of the URL; here every value is text. */
function text(raw: Raw, name: string): string | undefined {
  const value = raw[name];
  if (typeof value === "string") return value === "" ? undefined : value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function oneOf<T extends string | number>(raw: Raw, name: string, known: readonly T[]): T | undefined {
  return known.find((value) => value === raw[name]);
}

/** A character of a text. */
function offset(raw: Raw, name: string): number | undefined {
  const value = Number(raw[name] ?? NaN);
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** `next` only within this console: an address elsewhere would make sign-in an open redirect. */
export function signInSearch(raw: Raw): SignInSearch {
  const next = text(raw, "next");
  const safe = next !== undefined && /^\/(?![/\\])/.test(next) && !next.startsWith("/sign-in") ? next : undefined;
  return { next: safe, tenant: text(raw, "tenant") };
}

const RUN_STATUSES: readonly RunStatus[] = ["queued", "running", "compensating", "succeeded", "failed", "cancelled"];

export function listSearch(raw: Raw): ListSearch {
  return { q: text(raw, "q"), status: oneOf(raw, "status", RUN_STATUSES) };
}

export function contractSearch(raw: Raw): ContractSearch {
  return {
    view: oneOf(raw, "view", ["run"]),
    tab: oneOf(raw, "tab", ["summary", "facts", "clauses", "text"]),
    finding: text(raw, "finding"),
    severity: oneOf(raw, "severity", ["critical", "high", "medium", "low", "info"]),
    decision: oneOf(raw, "decision", ["open", "accepted", "dismissed", "edited"]),
    ...documentSearch(raw),
  };
}

export function documentSearch(raw: Raw): DocumentSearch {
  return { start: offset(raw, "start"), end: offset(raw, "end"), chunks: oneOf(raw, "chunks", ["shown"]) };
}

/** What is left out is the first tab and every document. */
export function knowledgeSearch(raw: Raw): KnowledgeSearch {
  return {
    tab: oneOf(raw, "tab", ["sources", "settings", "indexes"]),
    q: text(raw, "q"),
    status: oneOf(raw, "status", ["pending", "indexed", "failed"]),
    source: text(raw, "source"),
    try: text(raw, "try"),
  };
}

export function searchSearch(raw: Raw): SearchSearch {
  return { q: text(raw, "q"), source: text(raw, "source"), type: text(raw, "type"), label: text(raw, "label") };
}

/** What is left out is the list of runs, every run, any time. */
export function runsSearch(raw: Raw): RunsSearch {
  return {
    tab: oneOf(raw, "tab", ["dead", "lanes", "schedules"]),
    status: oneOf(raw, "status", RUN_STATUSES),
    pipeline: text(raw, "pipeline"),
    step: text(raw, "step"),
    error: text(raw, "error"),
    subject: text(raw, "subject"),
    parent: text(raw, "parent"),
    since: oneOf(raw, "since", ["1h", "24h", "7d", "span"]),
    after: text(raw, "after"),
    before: text(raw, "before"),
    group: text(raw, "group"),
    letter: text(raw, "letter"),
    state: oneOf(raw, "state", ["replayed", "discarded"]),
  };
}

export function runSearch(raw: Raw): RunSearch {
  return { step: text(raw, "step"), item: offset(raw, "item"), items: oneOf(raw, "items", ["failed"]) };
}

/** What is left out is what the reader may decide, in every state, of every run. */
export function approvalsSearch(raw: Raw): ApprovalsSearch {
  return {
    show: oneOf(raw, "show", ["asked", "all"]),
    status: oneOf(raw, "status", ["pending", "approved", "rejected", "expired", "withdrawn", "voided", "consumed"]),
    run: text(raw, "run"),
  };
}

export function deliveriesSearch(raw: Raw): DeliveriesSearch {
  return { state: oneOf(raw, "state", ["pending", "held", "delivered", "failed"]), delivery: text(raw, "delivery") };
}

/** What is left out is the first tab, all models, 30 days, by day. */
export function gatewaySearch(raw: Raw): GatewaySearch {
  return {
    tab: oneOf(raw, "tab", ["limits", "keys", "spend"]),
    q: text(raw, "q"),
    show: oneOf(raw, "show", ["chat", "embedding", "deprecated"]),
    days: oneOf<7 | 90>(raw, "days", [7, 90]),
    by: oneOf(raw, "by", ["model", "key", "feature", "user"]),
  };
}

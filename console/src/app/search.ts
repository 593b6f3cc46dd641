/** What the address bar may hold, route by route. */
import type { RunStatus } from "@/api/schema";

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

/** `next` only within this console: an address elsewhere would make sign-in an open redirect. */
export function signInSearch(raw: Raw): SignInSearch {
  const next = text(raw, "next");
  const safe = next !== undefined && /^\/(?![/\\])/.test(next) && !next.startsWith("/sign-in") ? next : undefined;
  return { next: safe, tenant: text(raw, "tenant") };
}

export function listSearch(raw: Raw): ListSearch {
  return { q: text(raw, "q"), status: oneOf(raw, "status", ["queued", "running", "succeeded", "failed", "cancelled"]) };
}

export function contractSearch(raw: Raw): ContractSearch {
  return {
    view: oneOf(raw, "view", ["run"]),
    tab: oneOf(raw, "tab", ["summary", "facts", "clauses", "text"]),
    finding: text(raw, "finding"),
    severity: oneOf(raw, "severity", ["critical", "high", "medium", "low", "info"]),
    decision: oneOf(raw, "decision", ["open", "accepted", "dismissed", "edited"]),
  };
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

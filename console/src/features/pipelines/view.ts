/** What the address holds of these pages; absent is the first tab, every run, any time. */
import type { RunStatus } from "@/api/schema";

export type Since = "1h" | "24h" | "7d" | "span";
export type LetterState = "open" | "replayed" | "discarded";

export interface RunsView {
  tab?: "dead" | "lanes" | "schedules" | undefined;
  status?: RunStatus | undefined;
  pipeline?: string | undefined;
  step?: string | undefined;
  error?: string | undefined;
  subject?: string | undefined;
  parent?: string | undefined;
  since?: Since | undefined;
  after?: string | undefined;
  before?: string | undefined;
  /** Of dead letters: the group that is open, the letter that is looked at, and which state. */
  group?: string | undefined;
  letter?: string | undefined;
  state?: Exclude<LetterState, "open"> | undefined;
}
export interface Viewed {
  view: RunsView;
  onView: (change: RunsView) => void;
}

export interface RunPageView {
  step?: string | undefined;
  item?: number | undefined;
  items?: "failed" | undefined;
}

const HOURS: Record<Exclude<Since, "span">, number> = { "1h": 1, "24h": 24, "7d": 168 };

/** The bounds of creation as instants, to the minute so that the same question is asked again. */
export function boundsOf({ since, after, before }: RunsView, now = Date.now()): { created_after?: string; created_before?: string } {
  if (since === "span") return { ...instant("created_after", after), ...instant("created_before", before) };
  if (since === undefined) return {};
  const minute = Math.floor(now / 60_000) * 60_000;
  return { created_after: new Date(minute - HOURS[since] * 3_600_000).toISOString() };
}

function instant<Name extends string>(name: Name, local: string | undefined): Partial<Record<Name, string>> {
  const at = local === undefined ? NaN : Date.parse(local);
  return Number.isNaN(at) ? {} : ({ [name]: new Date(at).toISOString() } as Record<Name, string>);
}

/** A limit in words, and how far it is used. */
import type { Limit, LimitScope, SpendDay } from "@/api/schema";
import { usd, whole } from "../figures";

type Field = "requests_per_minute" | "tokens_per_minute" | "concurrency" | "calls_per_day" | "calls_per_month" | "budget_per_day_micros" | "budget_per_month_micros";
export interface Measure {
  field: Field;
  label: string;
  isMoney: boolean;
  /** Whose use can be told from what was booked; the others pass too quickly. */
  window: "day" | "month" | null;
}
export const MEASURES: readonly Measure[] = [
  { field: "budget_per_day_micros", label: "Budget a day", isMoney: true, window: "day" },
  { field: "budget_per_month_micros", label: "Budget a month", isMoney: true, window: "month" },
  { field: "calls_per_day", label: "Calls a day", isMoney: false, window: "day" },
  { field: "calls_per_month", label: "Calls a month", isMoney: false, window: "month" },
  { field: "requests_per_minute", label: "Requests a minute", isMoney: false, window: null },
  { field: "tokens_per_minute", label: "Tokens a minute", isMoney: false, window: null },
  { field: "concurrency", label: "Calls at once", isMoney: false, window: null },
];

export const ONES: Record<LimitScope, string> = { tenant: "The whole tenant", user: "End user", key: "API key", model: "Model", feature: "Feature" };

/** "Each end user", "Model openai/gpt-5". */
export function subject(limit: Limit): string {
  if (limit.scope === "tenant") return ONES.tenant;
  const match = limit.match ?? "*";
  return match === "*" ? `Each ${limit.scope === "key" ? ONES.key : ONES[limit.scope].toLowerCase()}` : `${ONES[limit.scope]} ${match}`;
}

export function amount(measure: Measure, value: number): string {
  return measure.isMoney ? usd(value) : whole(value);
}

/** "Each API key: 60 requests a minute" as one text, for names of buttons and dialogs. */
export function spoken(limit: Limit): string {
  const parts = MEASURES.flatMap((measure) => (limit[measure.field] == null ? [] : [`${measure.label.toLowerCase()} ${amount(measure, limit[measure.field] ?? 0)}`]));
  return `${subject(limit)}: ${parts.length === 0 ? "nothing is limited" : parts.join(", ")}`;
}

export interface Use {
  used: number;
  /** Whose it is: of many with the same allowance, the one that used the most. */
  value: string;
}

/** What was used of a limit today or this month, from days that were booked under its scope. */
export function usedOf(limit: Limit, measure: Measure, days: readonly SpendDay[], today: string): Use | null {
  if (measure.window === null) return null;
  const first = measure.window === "day" ? today : `${today.slice(0, 8)}01`;
  const match = limit.scope === "tenant" ? "*" : (limit.match ?? "*");
  const sums = new Map<string, number>();
  for (const day of days) {
    if (day.scope !== limit.scope || day.spent_on < first || day.spent_on > today || (match !== "*" && day.value !== match)) continue;
    sums.set(day.value, (sums.get(day.value) ?? 0) + (measure.isMoney ? day.cost_micros : day.calls));
  }
  return [...sums].reduce<Use>((most, [value, used]) => (used > most.used ? { used, value } : most), { used: 0, value: "" });
}

/** Equal in what they say, however they are written. */
export function sameLimit(one: Limit, other: Limit): boolean {
  const normal = (limit: Limit) => JSON.stringify([limit.scope, limit.match ?? "*", limit.soft_percent ?? 80, ...MEASURES.map(({ field }) => limit[field] ?? null)]);
  return normal(one) === normal(other);
}

/** The limits with one replaced, added (before is null) or taken out (after is null); null when it is gone by now. */
export function changed(limits: readonly Limit[], before: Limit | null, after: Limit | null): Limit[] | null {
  const at = before === null ? limits.length : limits.findIndex((limit) => sameLimit(limit, before));
  if (at < 0) return null;
  return [...limits.slice(0, at), ...(after === null ? [] : [after]), ...limits.slice(at + 1)];
}

/** A limit as it is typed into its form: texts, checked and read back. */
import type { Limit, LimitScope } from "@/api/schema";
import { dollarsOf, microsOf } from "../figures";
import { type Measure, MEASURES } from "./limits";

export type Typed = Partial<Record<Measure["field"], string>>;
export interface Form {
  scope: LimitScope;
  match: string;
  soft: string;
  values: Typed;
}

export function written(limit: Limit | null): Form {
  const values: Typed = {};
  for (const { field, isMoney } of MEASURES) {
    const value = limit?.[field];
    if (value != null) values[field] = isMoney ? dollarsOf(value) : String(value);
  }
  return { scope: limit?.scope ?? "tenant", match: limit?.match === "*" ? "" : (limit?.match ?? ""), soft: String(limit?.soft_percent ?? 80), values };
}

/** What is wrong, by field; `form` is about the whole. */
export function problemsOf(form: Form): Typed & { soft?: string; form?: string } {
  const problems: Typed & { soft?: string; form?: string } = {};
  for (const measure of MEASURES) {
    const problem = problemOf(measure, form.values[measure.field]);
    if (problem !== undefined) problems[measure.field] = problem;
  }
  if (!/^\d+$/.test(form.soft) || Number(form.soft) < 1 || Number(form.soft) > 100) problems.soft = "A whole number, 1 to 100";
  if (MEASURES.every(({ field }) => (form.values[field] ?? "").trim() === "")) problems.form = "Set at least one value; otherwise nothing is limited.";
  return problems;
}

export function limitOf({ scope, match, soft, values }: Form): Limit {
  const limit: Limit = { scope };
  if (scope !== "tenant" && match.trim() !== "") limit.match = match.trim();
  for (const measure of MEASURES) {
    const value = valueOf(measure, values[measure.field] ?? "");
    if (value !== null) limit[measure.field] = value;
  }
  if (Number(soft) !== 80) limit.soft_percent = Number(soft);
  return limit;
}

function valueOf(measure: Measure, text: string): number | null {
  if (measure.isMoney) return microsOf(text);
  const plain = text.trim().replaceAll(",", "");
  return /^\d{1,15}$/.test(plain) ? Number(plain) : null;
}

function problemOf(measure: Measure, text = ""): string | undefined {
  if (text.trim() === "") return undefined;
  const value = valueOf(measure, text);
  if (value === null) return measure.isMoney ? "An amount such as 250 or 12.50" : "A whole number";
  return value === 0 && measure.window === null ? "At least 1" : undefined;
}

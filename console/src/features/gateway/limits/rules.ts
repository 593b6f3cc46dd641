import type { Policy } from "@/api/schema";
import { withFields } from "./useChange";

/** The common rules as the form shows them; residency "" is anywhere. */
export interface Rules {
  residency: string;
  require_pinned: boolean;
  durability: "spooled" | "committed";
  payloads: "keep" | "drop";
  exact: "off" | "deterministic" | "all";
  when_limits_away: "open" | "closed";
}

export function rulesOf(policy: Policy): Rules {
  return {
    residency: policy.residency ?? "",
    require_pinned: policy.require_pinned ?? false,
    durability: policy.durability ?? "spooled",
    payloads: policy.payloads ?? "keep",
    exact: policy.cache?.exact ?? "off",
    when_limits_away: policy.when_limits_away ?? "open",
  };
}

/** The policy with the touched rules set, and all else as it was. */
export function withRules(policy: Policy, touched: Partial<Rules>): Policy {
  const { residency, exact, ...plain } = touched;
  const fields: Partial<Policy> = { ...plain };
  if (residency !== undefined) fields.residency = residency.trim() === "" ? null : residency.trim();
  if (exact !== undefined) fields.cache = { ...policy.cache, exact };
  return withFields(policy, fields);
}

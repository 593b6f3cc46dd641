/** Amounts, limits and places in words and back. */
import { expect, test } from "vitest";
import { dollarsOf, microsOf, price, usd } from "./figures";
import { changed, MEASURES, sameLimit, spoken, usedOf } from "./limits/limits";
import { lineOf, stepsOf, syntaxTrouble } from "@/design";
import { limitOf, problemsOf, written } from "./limits/typed";
import { withRules } from "./limits/rules";
import { allDays, byValue, scaleEnd } from "./spend/days";
import { spend } from "@/testing/gateway";

test("money is read and written to the millionth", () => {
  expect(["12.50", "0.000001", "1,000", "250"].map(microsOf)).toEqual([12_500_000, 1, 1_000_000_000, 250_000_000]);
  expect(["", "-1", "1.2345678", "a lot", "1e3", "."].map(microsOf)).toEqual([null, null, null, null, null, null]);
  expect([12_500_000, 1, 0, 1_000_000_000].map(dollarsOf)).toEqual(["12.5", "0.000001", "0", "1000"]);
  expect([usd(4_290_000), usd(1_200), usd(0), price(125_000)]).toEqual(["$4.29", "$0.0012", "$0.00", "$0.125"]);
});

test("a limit that is written into the form is read back the same", () => {
  const limit = { scope: "key" as const, match: "key_1", requests_per_minute: 60, budget_per_month_micros: 12_500_000, soft_percent: 90 };
  expect(limitOf(written(limit))).toEqual(limit);
  expect(limitOf({ ...written(limit), scope: "tenant" })).not.toHaveProperty("match");
  expect(problemsOf(written(limit))).toEqual({});
  const wrong = { ...written(limit), soft: "0", values: { concurrency: "0", calls_per_day: "0", budget_per_day_micros: "a lot" } };
  expect(Object.keys(problemsOf(wrong)).sort()).toEqual(["budget_per_day_micros", "concurrency", "soft"]);
  expect(problemsOf({ ...wrong, soft: "80", values: { concurrency: " " } })).toEqual({ form: "Set at least one value; otherwise nothing is limited." });
});

test("a limit speaks of whom it is for and of what it sets", () => {
  expect(spoken({ scope: "user", calls_per_day: 5 })).toBe("Each end user: calls a day 5");
  expect(spoken({ scope: "model", match: "acme/one", budget_per_day_micros: 1_000_000 })).toBe("Model acme/one: budget a day $1.00");
});

test("what is used of a limit is counted in its window, of the one who used the most", () => {
  const [ofDay, ofMonth] = MEASURES;
  const days = [spend({ scope: "key", value: "a", spent_on: "2026-05-09" }), spend({ scope: "key", value: "b", spent_on: "2026-05-02", cost_micros: 9_000_000 }), spend({ scope: "key", value: "b", spent_on: "2026-04-30" })];
  if (ofDay === undefined || ofMonth === undefined) throw new Error("no measures");
  expect(usedOf({ scope: "key" }, ofDay, days, "2026-05-09")).toEqual({ used: 4_000_000, value: "a" });
  expect(usedOf({ scope: "key" }, ofMonth, days, "2026-05-09")).toEqual({ used: 9_000_000, value: "b" });
  expect(usedOf({ scope: "key", match: "a" }, ofMonth, days, "2026-05-09")?.used).toBe(4_000_000);
  expect(usedOf({ scope: "tenant" }, ofMonth, days, "2026-05-09")?.used).toBe(0);
});

test("a limit is found again by what it says, and not when it has changed", () => {
  const limits = [{ scope: "tenant" as const, calls_per_day: 5 }, { scope: "key" as const, match: "*", calls_per_day: 6 }];
  expect(sameLimit({ scope: "key", calls_per_day: 6, soft_percent: 80 }, { scope: "key", match: "*", calls_per_day: 6 })).toBe(true);
  expect(changed(limits, { scope: "key", calls_per_day: 6 }, null)).toEqual([limits[0]]);
  expect(changed(limits, { scope: "key", calls_per_day: 7 }, null)).toBeNull();
});

test("rules change what was touched and leave all else in the policy", () => {
  const policy = { residency: "eu", cache: { ttl_seconds: 60 }, limits: [{ scope: "tenant" as const, calls_per_day: 5 }] };
  expect(withRules(policy, { exact: "all" })).toEqual({ ...policy, cache: { ttl_seconds: 60, exact: "all" } });
  expect(withRules(policy, { residency: " " }).residency).toBeNull();
});

test("an objection finds the line of its place, or of what is around it", () => {
  const text = JSON.stringify({ limits: [{ scope: "tenant" }, { scope: "key", concurrency: 0 }], prices: { "acme/one-1.5": { input_micros: -1 } } }, null, 2);
  const at = (field: string) => text.split("\n")[(lineOf(text, field) ?? 0) - 1]?.trim();
  expect(at("policy.limits[1].concurrency")).toBe('"concurrency": 0');
  expect(at("policy.limits[1].scope")).toBe('"scope": "key",');
  expect(at("policy.prices['acme/one-1.5'].input_micros")).toBe('"input_micros": -1');
  expect(at("policy.limits[1].nowhere")).toBe("{");
  expect(lineOf(text, "policy")).toBe(1);
  expect(stepsOf("policy.routing.weights['it\"s']")).toEqual(["routing", "weights", 'it"s']);
  expect(syntaxTrouble('{\n  "a": 1,\n}')).not.toBeNull();
});

test("days without a call are shown too, and values are added up", () => {
  const now = Date.parse("2026-05-03T12:00:00Z");
  expect(allDays([spend({ spent_on: "2026-05-02" })], 3, now).map(({ day, calls }) => [day, calls])).toEqual([["2026-05-01", 0], ["2026-05-02", 12], ["2026-05-03", 0]]);
  expect(byValue([spend({ value: "a" }), spend({ value: "b", cost_micros: 9_000_000 }), spend({ value: "a" })]).map(({ value, cost_micros }) => [value, cost_micros])).toEqual([["b", 9_000_000], ["a", 8_000_000]]);
  expect([25_520_000, 1_000, 0].map(scaleEnd)).toEqual([30_000_000, 1_000, 1]);
});

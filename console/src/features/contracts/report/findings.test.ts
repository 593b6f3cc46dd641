import { expect, test } from "vitest";
import { cite, finding, TEXT } from "@/testing/server";
import { decisionCounts, effective, findingMarks, inOrder, matches, placeOf } from "./findings";

test("an edit is laid over what was found, part by part", () => {
  const edited = effective(finding({ decision: "edited", edited: { severity: "low", title: null, suggestion: null } }));
  expect(edited).toMatchObject({ severity: "low", title: "Cap of one month", suggestion: "Twelve months." });
});

test("the worst comes first, then the order of the text, what is absent last", () => {
  const order = inOrder([
    finding({ id: "low", severity: "low" }),
    finding({ id: "absent", citations: [] }),
    finding({ id: "late" }),
    finding({ id: "early", citations: [cite("ten years")] }),
  ]);
  expect(order.map(({ id }) => id)).toEqual(["early", "late", "absent", "low"]);
});

test("filters and words narrow together, and words look into quotes", () => {
  expect(matches(finding(), { severity: "critical", decision: "open", words: "ONE MONTH" })).toBe(true);
  expect(matches(finding(), { severity: "low" })).toBe(false);
  expect(matches(finding(), { decision: "accepted" })).toBe(false);
  expect(matches(finding(), { words: "insurance" })).toBe(false);
});

test("a dismissed finding keeps a faint mark", () => {
  expect(findingMarks([finding({ decision: "dismissed" })])).toMatchObject([{ id: "fnd_1", tone: "dismissed" }]);
});

test("decisions are counted, and places named as far as known", () => {
  expect(decisionCounts([finding(), finding({ decision: "accepted" }), finding()])).toEqual({ open: 2, accepted: 1 });
  expect(placeOf(cite("ten years"), TEXT)).toBe("\u00a7\u20091.1, page 1");
  expect(placeOf({ ...cite("ten years"), chunk: null, page: null }, undefined)).toBe("");
  const lettered = { ...TEXT, blocks: TEXT.blocks.map((block, index) => (index === 3 ? { ...block, number: "(b)" } : block)) };
  expect(placeOf(cite("capped at one month"), lettered)).toBe("\u00a7\u20092(b), page 1");
});

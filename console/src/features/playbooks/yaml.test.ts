import { expect, test } from "vitest";
import { ApiError } from "@/api/problem";
import { colour, objections } from "./yaml";

test("coloured pieces of a line are the line again", () => {
  for (const line of ["", "  - id: cap  # why", "# only words", "why: \"a: b # c\"", "  at_most: 12 months", "url: http://x", "- plain", "    severity: high", ": odd", "\ttab: 1"]) {
    expect(colour(line).map(({ text }) => text).join("")).toBe(line);
  }
});

test("keys, values and comments are told apart", () => {
  expect(colour("  - cap: 12 # months").map(({ kind, text }) => [kind, text])).toEqual([
    ["mark", "  - "], ["key", "cap"], ["mark", ":"], ["number", " 12"], ["comment", " # months"],
  ]);
});

test("the line of an objection is found in its field, its message or the detail", () => {
  const wrong = (detail: string, errors?: { field: string; message: string }[]) => objections(new ApiError({ status: 422, detail, errors }));
  expect(wrong("Line 14: severity must be one of low, high.")).toEqual([{ line: 14, message: "severity must be one of low, high." }]);
  expect(wrong("It has 2 problems:\nline 3, rules[0].id: is missing.\nline 9, side: 'x' is not a side.")).toEqual([
    { line: 3, message: "rules[0].id: is missing." },
    { line: 9, message: "side: 'x' is not a side." },
  ]);
  expect(wrong("Not valid.", [{ field: "line 3", message: "unknown rule" }])).toEqual([{ line: 3, message: "unknown rule" }]);
  expect(wrong("Not valid.", [{ field: "yaml", message: "tab found at line 7, column 2" }])).toEqual([{ line: 7, message: "tab found at line 7, column 2" }]);
  expect(wrong("Two rules share an id.")).toEqual([{ line: null, message: "Two rules share an id." }]);
});

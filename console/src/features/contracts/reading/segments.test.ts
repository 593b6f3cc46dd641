import { expect, test } from "vitest";
import { TEXT } from "@/testing/server";
import { unitOffsets } from "./offsets";
import { applyMarks, layOut, type Mark } from "./segments";

const whole = (marks: Mark[]) => applyMarks(layOut(TEXT), marks);
const at = (words: string, id: string, tone: Mark["tone"] = "high"): Mark => ({ id, start: TEXT.text.indexOf(words), end: TEXT.text.indexOf(words) + words.length, tone });

test("no word of the text is lost, whatever the marks", () => {
  const blocks = whole([at("renews for ten", "a"), at("ten years", "b"), at("years.\n\n2. Liab", "c", "low")]);
  const shown = blocks.map((block) => block.segments.map(({ text }) => text).join(""));
  expect(shown).toEqual(TEXT.blocks.map(({ start, end }) => TEXT.text.slice(start, end)));
});

test("words that lie between blocks become paragraphs", () => {
  const source = { ...TEXT, blocks: TEXT.blocks.slice(2) };
  expect(layOut(source).blocks.map(({ start }) => TEXT.text.slice(start, start + 7))).toEqual(["1. Term", "2. Liab", "2.1 Lia"]);
  expect(layOut({ ...TEXT, blocks: [] }).blocks).toMatchObject([{ start: 0, end: TEXT.text.length }]);
});

test("overlapping marks share the segment where they meet, the worse one gives the colour", () => {
  const segments = whole([at("renews for ten", "a", "low"), at("ten years", "b", "critical")])[1]?.segments;
  expect(segments?.map(({ text, marks, tone }) => [text, marks, tone])).toEqual([
    ["1.1 It ", [], null],
    ["renews for ", ["a"], "low"],
    ["ten", ["b", "a"], "critical"],
    [" years", ["b"], "critical"],
    [".", [], null],
  ]);
});

test("a mark across blocks is laid over each of them", () => {
  const blocks = whole([at("years.\n\n2. Liab", "c")]);
  expect(blocks.filter(({ markIds }) => markIds.has("c")).map(({ number }) => number)).toEqual(["1.1", "2"]);
});

test("only blocks whose marks changed get another signature", () => {
  const before = whole([at("ten years", "a")]);
  const after = whole([at("ten years", "a"), at("one month", "b")]);
  expect(after.map((block, index) => block.signature !== before[index]?.signature)).toEqual([false, false, false, true]);
});

test("a page is announced where it begins", () => {
  expect(layOut(TEXT).blocks.map(({ pageStart }) => pageStart)).toEqual([1, null, null, 2]);
});

test("offsets count characters, so a mark after an emoji sits on its words", () => {
  const text = "\u{1F4DC}\u{1F4DC} Seal. Governing law is Ohio.";
  const start = Array.from(text).join("|").split("|").indexOf("O");
  expect(text.slice(unitOffsets(text)(start), unitOffsets(text)(start + 4))).toBe("Ohio");
  const source = { ...TEXT, text, pages: [], blocks: [{ kind: "paragraph" as const, start: 0, end: Array.from(text).length, number: null, level: null }] };
  const marked = applyMarks(layOut(source), [{ id: "law", start, end: start + 4, tone: "low" }]);
  expect(marked[0]?.segments.find(({ marks }) => marks.length > 0)?.text).toBe("Ohio");
});

test("marks outside the text are cut or left out", () => {
  const blocks = whole([{ id: "far", start: 9000, end: 9100, tone: "low" }, { id: "empty", start: 5, end: 5, tone: "low" }]);
  expect(blocks.every(({ markIds }) => markIds.size === 0)).toBe(true);
});

import { expect, test, vi } from "vitest";
import { readRunEvent } from "@/api/events";
import { ApiError } from "@/api/problem";
import { CHUNKS, entry, PARSED, settings, WORDS } from "@/testing/knowledge";
import { AT_START, share, told } from "./documents/progress";
import { type Sent, Uploads } from "./documents/uploads";
import { layOut } from "./reading/layout";
import { differences, flatten, valueOf, withChunker } from "./settings/form";

const file = (name: string) => new File(["words"], name);
const sent = (isKnown: boolean): Sent => ({ submitted: { document: entry(), run: null, stream_url: null }, isKnown });

test("each file ends with its own outcome, in the server's words, and can be tried again", async () => {
  const queue = new Uploads(({ name }) => (name === "locked.pdf" ? Promise.reject(new ApiError({ status: 422, title: "Encrypted", detail: "It asks for a password." })) : Promise.resolve(sent(name === "known.md"))));
  queue.add([file("new.md"), file("known.md"), file("locked.pdf")], ["folder"]);
  await vi.waitFor(() => { expect(queue.snapshot().map(({ state }) => state)).toEqual(["refused", "taken", "known", "refused"]); });
  expect(queue.snapshot()[3]?.refusal).toEqual({ title: "Encrypted", detail: "It asks for a password." });
  queue.clear();
  expect(queue.snapshot()).toEqual([]);
});

test("two files travel at a time", () => {
  const queue = new Uploads(() => new Promise(() => undefined));
  queue.add([file("a"), file("b"), file("c")]);
  expect(queue.snapshot().map(({ state }) => state)).toEqual(["sending", "sending", "waiting"]);
});

test("no word is lost, and a mark that runs across blocks lies over each", () => {
  const start = WORDS.indexOf("leave.");
  const blocks = layOut(PARSED, { start, end: WORDS.indexOf("Trains") + 6 }, CHUNKS);
  expect(blocks.map(({ pieces }) => pieces.map(({ text }) => text).join(""))).toEqual(WORDS.split("\n\n"));
  expect(blocks.flatMap(({ pieces }) => pieces.filter(({ isPlace }) => isPlace).map(({ text }) => text))).toEqual(["leave.", "Travel", "Trains"]);
});

test("a chunk begins once, also when it begins between blocks", () => {
  const between = { ...CHUNKS[1], start: WORDS.indexOf("Travel") - 2 } as (typeof CHUNKS)[number];
  const begins = layOut(PARSED, null, [CHUNKS[0], between] as typeof CHUNKS).map(({ pieces }) => pieces.flatMap((piece) => piece.begins.map(({ index }) => index)));
  expect(begins).toEqual([[0], [], [1], []]);
});

test("characters beyond the basic plane do not shift a place", () => {
  const text = "\u{1F4DC}\u{1F4DC} Ohio law";
  const source = { ...PARSED, text, blocks: [] };
  expect(layOut(source, { start: 3, end: 7 }, [])[0]?.pieces.find(({ isPlace }) => isPlace)?.text).toBe("Ohio");
});

test("settings come back from the form as they went in", () => {
  expect(valueOf(flatten(settings().value))).toEqual(settings().value);
});

test("another chunker keeps the sizes that it has too", () => {
  const places = withChunker({ ...flatten(settings().value), "chunking.contract.max_chars": "900" }, "contract", "rows");
  expect(valueOf(places)).toMatchObject({ chunking: { contract: { chunker: "rows", max_chars: 900, max_rows: 40 } } });
  expect(places["chunking.contract.item_chars"]).toBeUndefined();
});

test("differences are told in words", () => {
  expect(differences({ "chunking.contract.max_chars": "1500" }, { "chunking.contract.max_chars": "900" })).toEqual(["Chunking contract max chars: 1500 → 900"]);
});

test("progress counts steps, and within a step what it says", () => {
  const tell = (type: string, fields: object) => {
    const event = readRunEvent(type, "1-1", JSON.stringify({ run: "run_1", at: "", ...fields }));
    if (event === null) throw new Error("not an event");
    return event;
  };
  const steps = ["parse", "chunk", "embed", "index"].map((name) => ({ name, title: name }));
  const events = [tell("run.started", { steps }), tell("step.finished", { step: "parse" }), tell("step.finished", { step: "chunk" }), tell("step.started", { step: "embed" }), tell("step.progress", { step: "embed", done: 1, total: 2 })];
  expect(share(events.reduce(told, AT_START))).toBe(0.625);
  expect(share(AT_START)).toBe(0);
});

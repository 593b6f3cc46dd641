import { expect, test } from "vitest";
import { createParser, type ServerEvent } from "./sse";

const STREAM = ": hello\n\nretry: 1500\nid: 1-1\nevent: run.started\ndata: {\"a\":1}\n\nid: 1-2\r\nevent: step.started\r\ndata: one\r\ndata: two\r\n\r\ndata:bare\n\n";
const EXPECTED: ServerEvent[] = [
  { id: "1-1", type: "run.started", data: '{"a":1}' },
  { id: "1-2", type: "step.started", data: "one\ntwo" },
  { id: "1-2", type: "message", data: "bare" },
];

test("a stream cut at any place gives the same events", () => {
  for (let cut = 0; cut <= STREAM.length; cut += 1) {
    const parser = createParser();
    expect([...parser.push(STREAM.slice(0, cut)), ...parser.push(STREAM.slice(cut))]).toEqual(EXPECTED);
  }
});

test("a stream that comes one character at a time gives the same events", () => {
  const parser = createParser();
  expect(Array.from(STREAM).flatMap((character) => parser.push(character))).toEqual(EXPECTED);
});

test("keep-alive comments and events without data are not events", () => {
  expect(createParser().push(": ping\n\nevent: nothing\n\n")).toEqual([]);
});

test("the server's wish for the pause before reconnecting is kept", () => {
  const parser = createParser();
  expect(parser.retry()).toBeNull();
  parser.push("retry: 1500\nretry: soon\n");
  expect(parser.retry()).toBe(1500);
});

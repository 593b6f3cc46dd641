import { expect, test } from "vitest";
import type { Endpoint } from "./shapes";
import { FORMATS, isDirect, topicWords } from "./words";

const asking = (...topics: string[]) => ({ topics }) as Endpoint;

test("an endpoint that asks for no events is one whose addresses callers named", () => {
  expect(isDirect(asking())).toBe(true);
  expect(topicWords(asking())).toEqual(["addresses that callers named"]);
  expect(isDirect(asking("*"))).toBe(false);
  expect(topicWords(asking("*", "run.finished"))).toEqual(["every event", "run.finished"]);
});

test("every format that an endpoint may have can be kept", () => {
  expect(FORMATS.map(({ value }) => value)).toEqual(["standard-webhooks", "cloudevents", "cloudevents-binary", "plain"]);
});

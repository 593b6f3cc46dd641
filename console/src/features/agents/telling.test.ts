import { expect, test } from "vitest";
import { readAnswer, readConversation } from "./shapes";
import { begin, heard } from "./telling";

const event = (type: string, data: unknown) => ({ id: null, type, data: JSON.stringify(data) });

test("activity, checked sentences and unchecked words are told apart", () => {
  const told = [
    event("metadata", { run_id: "r1" }),
    event("custom", { type: "tool", text: "Searched 3 contracts", tool: "search", citations: [] }),
    event("messages", [{ type: "AIMessageChunk", content: "It re", id: "m" }, {}]),
    event("messages", [{ type: "AIMessageChunk", content: [{ type: "text", text: "news." }], id: "m" }, {}]),
    event("custom", { type: "sentence", text: "It renews.", citations: [] }),
    event("end", {}),
  ].reduce(heard, begin("Does it renew?"));
  expect(told).toEqual({ question: "Does it renew?", run: "r1", activity: ["Searched 3 contracts"], sentences: ["It renews."], draft: "It renews.", error: null });
});

test("an error is told in its words, and what is no JSON changes nothing", () => {
  const start = begin("?");
  expect(heard(start, event("error", { error: "x", message: "No model answered." })).error).toBe("No model answered.");
  expect(heard(start, { id: null, type: "custom", data: "{" })).toEqual(start);
});

test("an answer is read as sentences, places and how it came about", () => {
  const answer = readAnswer("It renews. [1]\nIt ends. [2]\n\n[1] clause 1.1 of msa, page 2 (/contracts/ctr_a1#9-37)\n[2] msa (/contracts/ctr_a1#40-50)\n\nTaken from the clauses.");
  expect(answer.places).toEqual([
    { number: 1, where: "clause 1.1 of msa, page 2", contract: "ctr_a1", start: 9, end: 37 },
    { number: 2, where: "msa", contract: "ctr_a1", start: 40, end: 50 },
  ]);
  expect(answer.body).toBe("It renews. [1]\nIt ends. [2]");
  expect(answer.note).toBe("Taken from the clauses.");
  expect(readAnswer("Nothing was found.").places).toEqual([]);
});

test("what waits for a person is read from a thread's interrupts", () => {
  const conversation = readConversation({ values: { messages: [{ type: "human", content: "Draft it" }, { nonsense: 1 }] }, interrupts: [{ value: { kind: "approval", approval: "apr_1", tool: "draft_amendment", text: "A person has to allow this." } }, { value: "else" }] });
  expect(conversation.messages).toHaveLength(1);
  expect(conversation.asked).toEqual([{ approval: "apr_1", what: "draft amendment: A person has to allow this" }]);
});

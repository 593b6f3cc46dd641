/** What LangGraph's agent-server API sends, as far as a conversation needs it. */

export interface Message {
  id: string | null;
  type: "human" | "ai" | "tool" | "system";
  content: string;
  toolCalls: { name: string; args: Record<string, unknown> }[];
  name: string | null;
}
export type ThreadStatus = "idle" | "busy" | "interrupted" | "error";
export interface Thread {
  id: string;
  title: string;
  status: ThreadStatus;
  updatedAt: string;
}
/** A step that waits for a person; the thread goes on by itself when the approval is decided. */
export interface Asked {
  approval: string;
  what: string;
}
export interface Conversation {
  messages: Message[];
  asked: Asked[];
}
/** A place in a contract that an answer cites. */
export interface Place {
  number: number;
  where: string;
  contract: string;
  start: number;
  end: number;
}

type Raw = Record<string, unknown>;
const isRaw = (value: unknown): value is Raw => typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** Content is a text, or parts of which some are texts. */
function contentOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: unknown) => (typeof part === "string" ? part : isRaw(part) ? (textOf(part.text) ?? "") : "")).join("");
}

const TYPES: Record<string, Message["type"]> = { human: "human", HumanMessage: "human", ai: "ai", AIMessage: "ai", AIMessageChunk: "ai", tool: "tool", ToolMessage: "tool", system: "system", SystemMessage: "system" };

export function readMessage(raw: unknown): Message | null {
  if (!isRaw(raw)) return null;
  const type = TYPES[textOf(raw.type) ?? ""];
  if (type === undefined) return null;
  const calls = Array.isArray(raw.tool_calls) ? raw.tool_calls.filter(isRaw) : [];
  return {
    id: textOf(raw.id),
    type,
    content: contentOf(raw.content),
    toolCalls: calls.map((call) => ({ name: textOf(call.name) ?? "", args: isRaw(call.args) ? call.args : {} })),
    name: textOf(raw.name),
  };
}

export function readThread(raw: unknown): Thread {
  const thread = isRaw(raw) ? raw : {};
  const metadata = isRaw(thread.metadata) ? thread.metadata : {};
  return { id: textOf(thread.thread_id) ?? "", title: textOf(metadata.title) ?? "A question", status: (textOf(thread.status) ?? "idle") as ThreadStatus, updatedAt: textOf(thread.updated_at) ?? "" };
}

export function readConversation(raw: unknown): Conversation {
  const state = isRaw(raw) ? raw : {};
  const values = isRaw(state.values) ? state.values : {};
  const messages = Array.isArray(values.messages) ? values.messages.flatMap((each: unknown) => readMessage(each) ?? []) : [];
  const interrupts = Array.isArray(state.interrupts) ? state.interrupts : [];
  return { messages, asked: interrupts.flatMap(readAsked) };
}

function readAsked(raw: unknown): Asked[] {
  const value = isRaw(raw) && isRaw(raw.value) ? raw.value : {};
  const approval = textOf(value.approval);
  if (value.kind !== "approval" || approval === null) return [];
  const tool = textOf(value.tool)?.replaceAll("_", " ");
  return [{ approval, what: [tool, textOf(value.text)?.replace(/\.$/, "")].filter(Boolean).join(": ") || "An action" }];
}

const SOURCE = /^\[(\d+)\] (.*) \(\/contracts\/(ctr_\w+)#(\d+)-(\d+)\)$/;

/** An answer is sentences with numbers, the places behind the numbers, and how it came about. */
export function readAnswer(text: string): { body: string; places: Place[]; note: string } {
  const parts = text.split("\n\n");
  const sources = parts.findIndex((part) => part.split("\n").every((line) => SOURCE.test(line)));
  if (sources < 0) return { body: text, places: [], note: "" };
  const places = (parts[sources] ?? "").split("\n").flatMap((line) => {
    const match = SOURCE.exec(line);
    return match === null ? [] : [{ number: Number(match[1]), where: match[2] ?? "", contract: match[3] ?? "", start: Number(match[4]), end: Number(match[5]) }];
  });
  return { body: parts.slice(0, sources).join("\n\n"), places, note: parts.slice(sources + 1).join("\n\n") };
}

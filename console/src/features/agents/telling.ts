/** What is told while an answer is made. Pure: events in, a view out. */
import type { ServerEvent } from "@/api/sse";
import { readMessage } from "./shapes";

export interface Telling {
  question: string;
  run: string | null;
  /** What it did, in sentences. */
  activity: string[];
  /** Sentences that were checked and stand. */
  sentences: string[];
  /** What a model writes, before it is checked. */
  draft: string;
  error: string | null;
}

export function begin(question: string): Telling {
  return { question, run: null, activity: [], sentences: [], draft: "", error: null };
}

export function heard(telling: Telling, event: ServerEvent): Telling {
  const data = parse(event.data);
  switch (event.type.split("|")[0]) {
    case "metadata":
      return { ...telling, run: field(data, "run_id") ?? telling.run };
    case "custom":
      return custom(telling, data);
    case "messages":
      return drafted(telling, data);
    case "error":
      return { ...telling, error: field(data, "message") ?? field(data, "error") ?? "The run failed." };
    default:
      return telling;
  }
}

function custom(telling: Telling, data: unknown): Telling {
  const text = field(data, "text");
  if (text === null) return telling;
  if (field(data, "type") === "sentence") return { ...telling, sentences: [...telling.sentences, text] };
  return { ...telling, activity: [...telling.activity, text] };
}

/** A chunk of what a model writes; a whole message has been checked and comes with the state. */
function drafted(telling: Telling, data: unknown): Telling {
  const [raw] = Array.isArray(data) ? (data as unknown[]) : [];
  const message = readMessage(raw);
  if (message?.type !== "ai" || field(raw, "type") !== "AIMessageChunk") return telling;
  return { ...telling, draft: telling.draft + message.content };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function field(data: unknown, name: string): string | null {
  const value = typeof data === "object" && data !== null ? (data as Record<string, unknown>)[name] : undefined;
  return typeof value === "string" ? value : null;
}

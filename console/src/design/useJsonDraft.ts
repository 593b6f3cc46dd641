/** A JSON text while it is edited: read on demand, with what is wrong beside its line. */
import { useState } from "react";
import type { ApiError } from "@/api/problem";
import type { Objection } from "./CodeEditor";
import { lineOf, syntaxTrouble } from "./places";

export interface JsonDraft {
  text: string;
  objections: Objection[];
  isChanged: boolean;
  edit: (text: string) => void;
  /** The value, or null when the text is no JSON, which is then said at its line. */
  read: () => { value: unknown } | null;
  /** Shows what the server objects to at the lines that it names. */
  refuse: (error: ApiError) => void;
}

export function useJsonDraft(initial: unknown): JsonDraft {
  const first = JSON.stringify(initial ?? null, null, 2);
  const [draft, setDraft] = useState<string | null>(null);
  const [objections, setObjections] = useState<Objection[]>([]);
  const text = draft ?? first;
  return {
    text,
    objections,
    isChanged: draft !== null && draft !== first,
    edit(next) {
      setDraft(next);
      setObjections([]);
    },
    read() {
      const trouble = syntaxTrouble(text);
      setObjections(trouble === null ? [] : [{ line: trouble.line, message: `No valid JSON: ${trouble.message}` }]);
      return trouble === null ? { value: JSON.parse(text) as unknown } : null;
    },
    refuse(error) {
      setObjections(objectionsOf(error, text));
    },
  };
}

/** Fields come as `body.input.amount` or, in the words of the message, as `$.amount`. */
export function objectionsOf(error: ApiError, text: string): Objection[] {
  const named = error.fields.map(({ field, message }) => ({ line: lineOf(text, `.${field.replace(/^(body\.)?(input|edited_arguments|payload)?\.?/, "")}`), message }));
  if (named.length > 0) return named;
  const place = /`\$([^`]*)`/.exec(error.message)?.[1];
  return [{ line: place === undefined ? null : lineOf(text, place), message: error.message }];
}

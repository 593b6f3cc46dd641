/** Just enough of YAML to colour it and to find the line that the server objects to. Pure. */
import type { ApiError } from "@/api/problem";

export type TokenKind = "key" | "text" | "string" | "number" | "comment" | "mark";
export interface Token {
  kind: TokenKind;
  text: string;
}

const KEY = /^(\s*(?:-\s+)?)([^\s#:"'][^#:]*?)(:)(?=\s|$)/;

/** One line in coloured pieces; joined they are the line again. */
export function colour(line: string): Token[] {
  const tokens: Token[] = [];
  let rest = line;
  const key = KEY.exec(line);
  if (key !== null) {
    const [all, before = "", name = "", colon = ""] = key;
    tokens.push({ kind: "mark", text: before }, { kind: "key", text: name }, { kind: "mark", text: colon });
    rest = line.slice(all.length);
  } else {
    const dash = /^\s*-\s+/.exec(line);
    if (dash !== null) {
      tokens.push({ kind: "mark", text: dash[0] });
      rest = line.slice(dash[0].length);
    }
  }
  const comment = /(^|\s)#.*$/.exec(rest);
  const value = comment === null ? rest : rest.slice(0, comment.index);
  if (value !== "") tokens.push({ kind: kindOf(value.trim()), text: value });
  if (comment !== null) tokens.push({ kind: "comment", text: comment[0] });
  return tokens.filter(({ text }) => text !== "");
}

function kindOf(value: string): TokenKind {
  if (/^(["']).*\1$/.test(value)) return "string";
  if (/^(true|false|null|-?\d[\d_.]*)$/.test(value)) return "number";
  return /^[>|][+-]?$/.test(value) ? "mark" : "text";
}

export interface Objection {
  line: number | null;
  message: string;
}

/** What the server found wrong, each with its line when it names one. */
export function objections(error: ApiError): Objection[] {
  const named = error.message.split("\n").filter((each) => lineIn(each) !== null);
  if (error.fields.length === 0 && named.length > 0) return named.map((each) => ({ line: lineIn(each), message: withoutLine(each) }));
  if (error.fields.length === 0) return [{ line: null, message: error.message }];
  return error.fields.map(({ field, message }) => ({ line: lineIn(field) ?? lineIn(message) ?? lineIn(error.message), message: message === "" ? error.message : message }));
}

/** The line stands beside the message already. */
function withoutLine(text: string): string {
  return text.replace(/^\W*line \d+[,:.]?\s*/i, "");
}

function lineIn(text: string): number | null {
  const found = /\blines?[\s:.=#-]*(\d+)/i.exec(text) ?? /^(?:yaml[.:])?(\d+)$/.exec(text);
  return found === null ? null : Number(found[1]);
}

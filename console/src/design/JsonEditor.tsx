import type { ComponentProps } from "react";
import { CodeEditor, type Token } from "./CodeEditor";
import l from "./listing.module.css";

/** The editor of code, for JSON. */
export function JsonEditor(props: Omit<ComponentProps<typeof CodeEditor>, "colour">) {
  return <CodeEditor {...props} colour={coloured} />;
}

/** A value as indented and coloured JSON, to be read; text that is no value is shown as it is. */
export function JsonView({ label, value }: { label: string; value: unknown }) {
  const lines = (typeof value === "string" && value.includes("\n") ? value : (JSON.stringify(value, null, 2) ?? "")).split("\n");
  return (
    // A scroll area must take the keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre className={l.json} role="region" aria-label={label} tabIndex={0}>
      {lines.map((line, index) => <span key={index}>{coloured(line).map(({ kind, text }, place) => <span key={place} className={l[kind]}>{text}</span>)}{"\n"}</span>)}
    </pre>
  );
}

const PARTS = /("(?:[^"\\]|\\.)*"\s*:)|("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*|true|false|null)/g;

function coloured(line: string): Token[] {
  const tokens: Token[] = [];
  let end = 0;
  for (const match of line.matchAll(PARTS)) {
    if (match.index > end) tokens.push({ kind: "plain", text: line.slice(end, match.index) });
    tokens.push({ kind: match[1] !== undefined ? "key" : match[2] !== undefined ? "string" : "number", text: match[0] });
    end = match.index + match[0].length;
  }
  if (end < line.length) tokens.push({ kind: "plain", text: line.slice(end) });
  return tokens;
}

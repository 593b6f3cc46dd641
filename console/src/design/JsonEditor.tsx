import { useEffect, useRef } from "react";
import { cx } from "./cx";
import s from "./jsoneditor.module.css";
import l from "./listing.module.css";

export interface Objection {
  line: number | null;
  message: string;
}
interface Props {
  label: string;
  value: string;
  readOnly?: boolean;
  objections?: readonly Objection[];
  /** The id of what tells the objections in words. */
  describedBy?: string;
  /** Lines shown at least. */
  rows?: number;
  onChange: (value: string) => void;
}

/** As in the style sheet. */
const LINE_HEIGHT = 21;

/** A plain text field over its own numbered and coloured copy, with objections beside their lines. */
export function JsonEditor({ label, value, readOnly = false, objections = [], describedBy, rows = 10, onChange }: Props) {
  const copy = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const lines = value.split("\n");
  const first = Math.min(...objections.flatMap(({ line }) => (line === null ? [] : [line])));
  // Synchronizes the scroll position with the first line that was objected to.
  useEffect(() => {
    if (Number.isFinite(first)) frame.current?.scrollTo({ top: Math.max(0, (first - 4) * LINE_HEIGHT) });
  }, [first]);
  return (
    <div className={s.editor} ref={frame} data-readonly={readOnly || undefined}>
      <div className={s.copy} ref={copy} aria-hidden>
        {lines.map((line, index) => <Line key={index} number={index + 1} text={line} wrong={objections.filter((each) => each.line === index + 1).map(({ message }) => message).join(" ")} />)}
      </div>
      <textarea
        className={s.input}
        aria-label={label}
        aria-invalid={objections.length > 0 || undefined}
        aria-describedby={objections.length > 0 ? describedBy : undefined}
        spellCheck={false}
        autoCapitalize="none"
        wrap="off"
        readOnly={readOnly}
        rows={Math.max(rows, lines.length + 1)}
        value={value}
        onChange={(event) => { onChange(event.target.value); }}
        onScroll={(event) => { if (copy.current !== null) copy.current.style.transform = `translateX(${-event.currentTarget.scrollLeft}px)`; }}
      />
    </div>
  );
}

function Line({ number, text, wrong }: { number: number; text: string; wrong: string }) {
  return (
    <div className={cx(s.line, wrong !== "" && s.wrong)} data-line={number}>
      <span className={s.gutter}>{number}</span>
      <span>{coloured(text).map(([kind, part], index) => <span key={index} className={kind === "" ? undefined : s[kind]}>{part}</span>)}{"\u200b"}</span>
      {wrong !== "" && <span className={s.message}>{wrong}</span>}
    </div>
  );
}

/** A value as indented and coloured JSON, to be read; text that is no value is shown as it is. */
export function JsonView({ label, value }: { label: string; value: unknown }) {
  const lines = (typeof value === "string" && value.includes("\n") ? value : (JSON.stringify(value, null, 2) ?? "")).split("\n");
  return (
    // A scroll area must take the keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre className={l.json} role="region" aria-label={label} tabIndex={0}>
      {lines.map((line, index) => <span key={index}>{coloured(line).map(([kind, part], place) => <span key={place} className={kind === "" ? undefined : l[kind]}>{part}</span>)}{"\n"}</span>)}
    </pre>
  );
}

const PARTS = /("(?:[^"\\]|\\.)*"\s*:)|("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*|true|false|null)/g;

function coloured(line: string): [string, string][] {
  const parts: [string, string][] = [];
  let end = 0;
  for (const match of line.matchAll(PARTS)) {
    if (match.index > end) parts.push(["", line.slice(end, match.index)]);
    parts.push([match[1] !== undefined ? "key" : match[2] !== undefined ? "string" : "number", match[0]]);
    end = match.index + match[0].length;
  }
  if (end < line.length) parts.push(["", line.slice(end)]);
  return parts;
}

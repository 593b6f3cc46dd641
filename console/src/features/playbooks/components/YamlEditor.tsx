import { memo, useEffect, useMemo, useRef } from "react";
import { cx } from "@/design";
import { colour, type Objection } from "../yaml";
import s from "../playbooks.module.css";

interface Props {
  label: string;
  value: string;
  readOnly: boolean;
  objections: readonly Objection[];
  onChange: (value: string) => void;
}

/** As in the style sheet. */
const LINE_HEIGHT = 21;

function byLine(objections: readonly Objection[]): Map<number, string> {
  const lines = new Map<number, string>();
  for (const { line, message } of objections) {
    if (line !== null) lines.set(line, lines.has(line) ? `${lines.get(line)} ${message}` : message);
  }
  return lines;
}

/** A plain text field over its own coloured copy: everything a text field can do still works. */
export function YamlEditor({ label, value, readOnly, objections, onChange }: Props) {
  const lines = useMemo(() => value.split("\n"), [value]);
  const copy = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const wrong = useMemo(() => byLine(objections), [objections]);
  // Synchronizes the scroll position with the first line that was objected to.
  useEffect(() => {
    const first = Math.min(...wrong.keys());
    if (Number.isFinite(first)) frame.current?.scrollTo({ top: Math.max(0, (first - 5) * LINE_HEIGHT) });
  }, [wrong]);
  return (
    <div className={s.editor} ref={frame} data-readonly={readOnly || undefined}>
      <div className={s.copy} ref={copy} aria-hidden>
        {lines.map((line, index) => <Line key={index} number={index + 1} text={line} wrong={wrong.get(index + 1)} />)}
      </div>
      <textarea
        className={s.input}
        aria-label={label}
        aria-invalid={objections.length > 0 || undefined}
        aria-describedby={objections.length > 0 ? "yaml-objections" : undefined}
        spellCheck={false}
        autoCapitalize="none"
        wrap="off"
        readOnly={readOnly}
        rows={Math.max(16, lines.length + 1)}
        value={value}
        onChange={(event) => { onChange(event.target.value); }}
        onScroll={(event) => { if (copy.current !== null) copy.current.style.transform = `translateX(${-event.currentTarget.scrollLeft}px)`; }}
      />
    </div>
  );
}

const Line = memo(function Line({ number, text, wrong }: { number: number; text: string; wrong: string | undefined }) {
  return (
    <div className={cx(s.line, wrong !== undefined && s.wrong)} data-line={number}>
      <span className={s.gutter}>{number}</span>
      <span className={s.code}>{colour(text).map((token, index) => <span key={index} className={s[token.kind]}>{token.text}</span>)}{"\u200b"}</span>
      {wrong !== undefined && <span className={s.message}>{wrong}</span>}
    </div>
  );
});

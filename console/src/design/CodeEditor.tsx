import { memo, useEffect, useMemo, useRef } from "react";
import { cx } from "./cx";
import s from "./codeeditor.module.css";

export interface Objection {
  line: number | null;
  message: string;
}
/** A piece of a line; its kind gives the colour. */
export interface Token {
  kind: "plain" | "key" | "text" | "string" | "number" | "comment" | "mark";
  text: string;
}
interface Props {
  label: string;
  value: string;
  /** One line in coloured pieces; the same function every time. */
  colour: (line: string) => readonly Token[];
  readOnly?: boolean;
  objections?: readonly Objection[];
  /** The id of what tells the objections in words. */
  describedBy?: string;
  /** Lines shown at least. */
  rows?: number;
  /** It is what the page is for, and takes the height that the window has. */
  tall?: boolean;
  onChange: (value: string) => void;
}

/** As in the style sheet. */
const LINE_HEIGHT = 21;

/** A plain text field over its own numbered and coloured copy, with objections beside their lines. */
export function CodeEditor({ label, value, colour, readOnly = false, objections = [], describedBy, rows = 10, tall = false, onChange }: Props) {
  const copy = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => value.split("\n"), [value]);
  const first = Math.min(...objections.flatMap(({ line }) => (line === null ? [] : [line])));
  // Synchronizes the scroll position with the first line that was objected to.
  useEffect(() => {
    if (Number.isFinite(first)) frame.current?.scrollTo({ top: Math.max(0, (first - 5) * LINE_HEIGHT) });
  }, [first]);
  return (
    <div className={s.editor} ref={frame} data-readonly={readOnly || undefined} data-tall={tall || undefined}>
      <div className={s.copy} ref={copy} aria-hidden>
        {lines.map((line, index) => <Line key={index} number={index + 1} text={line} colour={colour} wrong={objections.filter((each) => each.line === index + 1).map(({ message }) => message).join(" ")} />)}
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

const Line = memo(function Line({ number, text, colour, wrong }: { number: number; text: string; colour: Props["colour"]; wrong: string }) {
  return (
    <div className={cx(s.line, wrong !== "" && s.wrong)} data-line={number}>
      <span className={s.gutter}>{number}</span>
      <span>{colour(text).map((token, index) => <span key={index} className={s[token.kind]}>{token.text}</span>)}{"\u200b"}</span>
      {wrong !== "" && <span className={s.message}>{wrong}</span>}
    </div>
  );
});

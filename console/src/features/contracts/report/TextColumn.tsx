import { useMemo } from "react";
import type { ContractText, Finding } from "@/api/schema";
import { Failure, IconButton, Loading, SkeletonLines } from "@/design";
import { ReadingPane, type Target } from "../reading/ReadingPane";
import type { Mark } from "../reading/segments";
import s from "./report.module.css";

interface Props {
  text: ContractText | undefined;
  error: Error | null;
  onRetry: () => void;
  marks: readonly Mark[];
  active: string | null;
  hovered: string | null;
  target: Target | null;
  shown: readonly Finding[];
  selected: string | null;
  onStep: (by: 1 | -1) => void;
  onSelect: (id: string) => void;
  onHover: (id: string | null) => void;
}

/** The reading pane under a bar that walks through the findings in sight. */
export function TextColumn({ text, error, onRetry, shown, selected, onStep, ...pane }: Props) {
  const at = shown.findIndex(({ id }) => id === selected);
  return (
    <>
      <div className={s.textBar}>
        <span>{text && <Outline text={text} />}</span>
        <span className={s.walk}>
          {shown.length > 0 && <span aria-live="polite">{at === -1 ? `${shown.length} findings` : `Finding ${at + 1} of ${shown.length}`}</span>}
          <IconButton size="s" icon="left" label="Previous finding" hint="Previous finding  k" onClick={() => { onStep(-1); }} />
          <IconButton size="s" icon="right" label="Next finding" hint="Next finding  j" onClick={() => { onStep(1); }} />
        </span>
      </div>
      <div className={s.textBody}>
        {text ? (
          <ReadingPane source={text} {...pane} />
        ) : error ? (
          <Failure what="The text of the contract" error={error} onRetry={onRetry} />
        ) : (
          <Loading label="Loading the text of the contract">
            <div className={s.textSkeleton}><SkeletonLines count={22} /></div>
          </Loading>
        )}
      </div>
    </>
  );
}

/** Jumps to a heading; a plain select, because it is one for the keyboard and on phones too. */
function Outline({ text }: { text: ContractText }) {
  const headings = useMemo(() => {
    const characters = Array.from(text.text);
    const named = text.blocks.filter(({ kind }) => kind === "heading");
    return named.map(({ start, end }) => ({ start, title: characters.slice(start, Math.min(end, start + 70)).join("") }));
  }, [text]);
  if (headings.length < 2) return null;
  return (
    <select
      className={s.outline}
      aria-label="Go to a heading"
      value=""
      onChange={(event) => {
        const index = headings.findIndex(({ start }) => String(start) === event.target.value);
        document.querySelectorAll("h3[data-start]").item(index).scrollIntoView({ block: "start" });
      }}
    >
      <option value="">Go to</option>
      {headings.map((heading) => <option key={heading.start} value={heading.start}>{heading.title}</option>)}
    </select>
  );
}

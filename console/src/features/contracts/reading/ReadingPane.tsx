import { type KeyboardEvent, type MouseEvent, useEffect, useMemo, useRef } from "react";
import type { ContractText } from "@/api/schema";
import { Rail } from "./Rail";
import { ReadingBlock } from "./ReadingBlock";
import { pulse, reveal } from "./reveal";
import { applyMarks, layOut, type Mark } from "./segments";
import s from "./reading.module.css";

/** A wish to see a mark; a new object is a new wish, also for the same mark. */
export interface Target {
  markId: string;
}

interface Props {
  source: ContractText;
  marks: readonly Mark[];
  active: string | null;
  hovered: string | null;
  target: Target | null;
  onSelect: (markId: string) => void;
  onHover: (markId: string | null) => void;
}

/** The contract's text with its marks, a rail that shows where they lie, and one scroll position. */
export function ReadingPane({ source, marks, active, hovered, target, onSelect, onHover }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const layout = useMemo(() => layOut(source), [source]);
  const blocks = useMemo(() => applyMarks(layout, marks), [layout, marks]);
  const opened = useRef(false);
  // Synchronizes the scroll position with what was asked to be seen: at once when the page opens, gliding later.
  useEffect(() => {
    const pane = scroller.current;
    if (target === null || pane === null) return;
    const glide = opened.current;
    opened.current = true;
    // Places are known only with the fonts that give lines their length.
    if (glide) reveal(pane, target.markId, true);
    else void document.fonts.ready.then(() => { reveal(pane, target.markId, false); });
  }, [target]);

  const marksAt = (event: { target: EventTarget }) => {
    const mark = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-marks]") : null;
    return mark?.dataset.marks?.split(" ") ?? [];
  };
  const choose = (event: MouseEvent | KeyboardEvent) => {
    if (getSelection()?.isCollapsed === false) return;
    const ids = marksAt(event);
    // A second click on overlapping marks goes to the next one under the pointer.
    const next = ids[(ids.indexOf(active ?? "") + 1) % ids.length];
    if (next === undefined) return;
    onSelect(next);
    if (scroller.current !== null) pulse(scroller.current, next);
  };

  return (
    <div className={s.pane}>
      {/* Marks are reached by keyboard through the list beside and j/k; the pane itself only scrolls. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events */}
      <div
        ref={scroller}
        className={s.scroller}
        role="document"
        aria-label="Contract text"
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scroll area must take the keyboard
        tabIndex={0}
        onClick={choose}
        onMouseOver={(event) => { onHover(marksAt(event)[0] ?? null); }}
        onFocus={() => undefined}
        onMouseLeave={() => { onHover(null); }}
      >
        <article className={s.paper}>
          {blocks.map((block) => (
            <div key={block.key} className={s.slot}>
              {block.pageStart !== null && <div className={s.page} id={`page-${block.pageStart}`}><span>Page {block.pageStart}</span></div>}
              <ReadingBlock
                block={block}
                active={active !== null && block.markIds.has(active) ? active : null}
                hovered={hovered !== null && block.markIds.has(hovered) ? hovered : null}
              />
            </div>
          ))}
        </article>
      </div>
      <Rail marks={marks} length={source.text.length} active={active} onSelect={onSelect} />
    </div>
  );
}

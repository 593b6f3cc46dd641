import { memo } from "react";
import { cx } from "@/design";
import type { MarkedBlock, Segment } from "./segments";
import s from "./reading.module.css";

interface Props {
  block: MarkedBlock;
  /** The mark that is selected, or hovered, when it lies in this block. */
  active: string | null;
  hovered: string | null;
}

/** One paragraph of the contract. Clicks and hovers are heard by the pane, not here. */
export const ReadingBlock = memo(function ReadingBlock({ block, active, hovered }: Props) {
  const Tag = block.kind === "heading" ? "h3" : "p";
  return (
    <Tag className={cx(s.block, s[block.kind], block.number !== null && s.numbered)} data-level={Math.min(4, block.level)} data-tone={block.tone ?? undefined} data-start={block.start}>
      {block.segments.map((segment, index) => (
        <SegmentView key={index} segment={segment} number={index === 0 ? block.number : null} active={active} hovered={hovered} />
      ))}
    </Tag>
  );
}, unchanged);

function unchanged(before: Props, after: Props): boolean {
  return before.block.key === after.block.key
    && before.block.end === after.block.end
    && before.block.signature === after.block.signature
    && before.active === after.active
    && before.hovered === after.hovered;
}

function SegmentView({ segment, number, active, hovered }: { segment: Segment; number: string | null; active: string | null; hovered: string | null }) {
  const { head, rest } = splitNumber(segment.text, number);
  const words = head === "" ? rest : <><span className={s.number}>{head}</span>{rest}</>;
  if (segment.tone === null) return words;
  return (
    <mark
      className={s.mark}
      data-tone={segment.tone}
      data-marks={segment.marks.join(" ")}
      data-active={(active !== null && segment.marks.includes(active)) || undefined}
      data-hovered={(hovered !== null && segment.marks.includes(hovered)) || undefined}
    >
      {words}
    </mark>
  );
}

/** The clause number is part of the text; set apart it can hang in the margin. */
function splitNumber(text: string, number: string | null): { head: string; rest: string } {
  if (number === null || !text.startsWith(number)) return { head: "", rest: text };
  const tail = /^[.):]?\s*/.exec(text.slice(number.length))?.[0] ?? "";
  return { head: text.slice(0, number.length + tail.length), rest: text.slice(number.length + tail.length) };
}

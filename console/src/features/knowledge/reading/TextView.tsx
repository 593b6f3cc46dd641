import { memo, useEffect, useMemo, useRef } from "react";
import { cx } from "@/design";
import type { DocumentChunk, DocumentText, Place } from "../shapes";
import { type Block, layOut, type Piece } from "./layout";
import s from "./reading.module.css";

interface Props {
  text: DocumentText;
  /** Marked, and scrolled to when it changes. */
  place?: Place | null;
  /** Whose borders are drawn over the text. */
  chunks?: readonly DocumentChunk[];
  label: string;
  className?: string;
}

const NONE: readonly DocumentChunk[] = [];

/** A document as paper that scrolls by itself: pages, headings, a marked place, borders of chunks. */
export function TextView({ text, place = null, chunks = NONE, label, className }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const start = place?.start;
  const end = place?.end;
  const blocks = useMemo(() => layOut(text, start === undefined || end === undefined ? null : { start, end }, chunks), [text, start, end, chunks]);
  // Synchronizes the scroll position with the place; lines have their places only with the fonts.
  useEffect(() => {
    const pane = scroller.current;
    if (start === undefined || pane === null) return;
    let isHere = true;
    void document.fonts.ready.then(() => { if (isHere) reveal(pane); });
    return () => { isHere = false; };
  }, [text, start, end]);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scroll area must take the keyboard
    <div ref={scroller} className={cx(s.scroller, className)} role="document" aria-label={label} tabIndex={0}>
      <article className={s.paper} data-chunked={chunks.length > 0 || undefined} lang={text.language === "und" ? undefined : text.language}>
        {blocks.map((block) => <BlockView key={block.start} block={block} />)}
      </article>
    </div>
  );
}

function reveal(pane: HTMLElement): void {
  const mark = pane.querySelector("mark");
  if (mark === null) return;
  const distance = mark.getBoundingClientRect().top - pane.getBoundingClientRect().top - pane.clientHeight * 0.3;
  pane.scrollTo({ top: pane.scrollTop + distance, behavior: "instant" });
}

const BlockView = memo(function BlockView({ block }: { block: Block }) {
  const Tag = block.kind === "heading" ? "h3" : "p";
  return (
    <>
      {block.page !== null && <div className={s.page}><span>Page {block.page}</span></div>}
      <Tag className={cx(s.block, s[block.kind])} data-level={Math.min(4, block.level)} data-start={block.start}>
        {block.pieces.map((piece, at) => <PieceView key={at} piece={piece} />)}
      </Tag>
    </>
  );
}, (before, after) => before.block.start === after.block.start && JSON.stringify(before.block) === JSON.stringify(after.block));

function PieceView({ piece }: { piece: Piece }) {
  return (
    <>
      {piece.begins.map((chunk) => <ChunkFlag key={chunk.index} chunk={chunk} />)}
      {piece.isPlace ? <mark className={s.place}>{piece.text}</mark> : piece.depth > 0 ? (
        <span className={s.chunk} data-odd={piece.isOdd || undefined} data-twice={piece.depth > 1 || undefined}>{piece.text}</span>
      ) : piece.text}
    </>
  );
}

/** Where a chunk begins, with what is known of it. */
function ChunkFlag({ chunk }: { chunk: DocumentChunk }) {
  return (
    <span className={s.flag} data-chunk={chunk.index} data-odd={chunk.index % 2 === 1 || undefined}>
      <strong>Chunk {chunk.index + 1}</strong> {chunk.tokens.toLocaleString("en")} tokens
      {chunk.heading_path.length > 0 && <span> · {chunk.heading_path.join(" › ")}</span>}
    </span>
  );
}

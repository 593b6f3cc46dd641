/**
 * A document's text cut for display: blocks, and inside a block pieces with the place and the chunks over them.
 * The API counts characters (code points), JavaScript UTF-16 units: everything is in units from here on.
 */
import type { DocumentChunk, DocumentText, Place } from "../shapes";

export interface Piece {
  text: string;
  isPlace: boolean;
  /** How many chunks hold it; 2 where they overlap. */
  depth: number;
  /** Of the last chunk that began before it: neighbours alternate. */
  isOdd: boolean;
  /** Chunks that begin here. */
  begins: readonly DocumentChunk[];
}
export interface Block {
  start: number;
  kind: DocumentText["blocks"][number]["kind"];
  level: number;
  /** Set on the first block of a page. */
  page: number | null;
  pieces: readonly Piece[];
}

interface Span extends Place {
  chunk: DocumentChunk | null;
}
type Bare = Omit<Block, "pieces"> & { end: number };

/** Character to unit offsets, held within the text. */
export function unitOffsets(text: string): (character: number) => number {
  if (!/[\ud800-\udbff]/.test(text)) return (character) => Math.min(Math.max(0, character), text.length);
  const units: number[] = [];
  let unit = 0;
  for (const character of text) {
    units.push(unit);
    unit += character.length;
  }
  units.push(unit);
  return (character) => units[Math.min(Math.max(0, character), units.length - 1)] ?? unit;
}

/** Words that the parser left between blocks become paragraphs, so that no text is lost. */
export function layOut(source: DocumentText, place: Place | null, chunks: readonly DocumentChunk[]): Block[] {
  const unit = unitOffsets(source.text);
  const spans: Span[] = [
    ...(place === null ? [] : [{ start: unit(place.start), end: unit(place.end), chunk: null }]),
    ...chunks.map((chunk) => ({ start: unit(chunk.start), end: unit(chunk.end), chunk })),
  ].filter(({ start, end }) => end > start).sort((one, other) => one.start - other.start);
  const begun = new Set<DocumentChunk>();
  let from = 0;
  return bare(source, unit).map(({ end, ...block }) => {
    // Chunks are in reading order and overlap their neighbours at most; the place alone may reach further.
    while ((spans[from]?.end ?? Infinity) <= block.start) from += 1;
    const over: Span[] = [];
    for (let index = from; index < spans.length; index += 1) {
      const span = spans[index];
      if (span === undefined || span.start >= end) break;
      if (span.end > block.start) over.push(span);
    }
    return { ...block, pieces: cut(source.text, block.start, end, over, begun) };
  });
}

function bare(source: DocumentText, unit: (character: number) => number): Bare[] {
  const blocks: Bare[] = [];
  const pages = source.pages.map(({ number, start }) => ({ number, start: unit(start) }));
  let page = 0;
  let covered = 0;
  const push = (kind: Block["kind"], start: number, end: number, level: number) => {
    let opened: number | null = null;
    for (let next = pages[page]; next !== undefined && next.start <= start; next = pages[page]) {
      opened = next.number;
      page += 1;
    }
    blocks.push({ kind, start, end, level, page: pages.length > 1 ? opened : null });
  };
  const fill = (until: number) => {
    if (until > covered && source.text.slice(covered, until).trim() !== "") push("paragraph", covered, until, 0);
  };
  for (const block of source.blocks) {
    const start = Math.max(unit(block.start), covered);
    const end = unit(block.end);
    if (end <= start) continue;
    fill(start);
    push(block.kind, start, end, block.level ?? 0);
    covered = end;
  }
  fill(source.text.length);
  return blocks;
}

function cut(text: string, from: number, until: number, over: readonly Span[], begun: Set<DocumentChunk>): Piece[] {
  const edges = new Set([from, until]);
  for (const { start, end } of over) {
    edges.add(Math.max(start, from));
    edges.add(Math.min(end, until));
  }
  const sorted = [...edges].sort((one, other) => one - other);
  return sorted.slice(0, -1).map((start, at) => {
    const end = sorted[at + 1] ?? until;
    const here = over.filter((span) => span.start < end && span.end > start);
    const chunks = here.flatMap(({ chunk }) => (chunk === null ? [] : [chunk]));
    const begins = chunks.filter((chunk) => !begun.has(chunk));
    for (const chunk of begins) begun.add(chunk);
    return {
      text: text.slice(start, end),
      isPlace: here.some(({ chunk }) => chunk === null),
      depth: chunks.length,
      isOdd: (chunks.at(-1)?.index ?? 0) % 2 === 1,
      begins,
    };
  });
}

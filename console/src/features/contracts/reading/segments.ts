/**
 * The contract's text cut for display: blocks, and inside a block segments, each with the marks over it.
 * Blocks are laid out once per text; marks are laid over them anew, and a block whose signature did not
 * change is not rendered again. That keeps 90,000 characters with hundreds of marks smooth.
 */
import type { ContractText, TextBlock } from "@/api/schema";
import type { SeverityTone } from "@/design";
import { unitOffsets } from "./offsets";

export type MarkTone = SeverityTone | "dismissed" | "cited";

/** A place to mark; `start` and `end` count characters as the API does. */
export interface Mark {
  id: string;
  start: number;
  end: number;
  tone: MarkTone;
}

export interface Segment {
  text: string;
  marks: readonly string[];
  tone: MarkTone | null;
}

export interface Block {
  key: number;
  kind: TextBlock["kind"];
  number: string | null;
  level: number;
  /** Set on the first block of a page. */
  pageStart: number | null;
  start: number;
  end: number;
}

export interface MarkedBlock extends Block {
  segments: readonly Segment[];
  markIds: ReadonlySet<string>;
  tone: MarkTone | null;
  signature: string;
}

export interface Layout {
  text: string;
  blocks: readonly Block[];
  unit: (character: number) => number;
}

const RANK: Record<MarkTone, number> = { critical: 0, high: 1, medium: 2, low: 3, info: 4, cited: 5, dismissed: 6 };

/** Blocks in UTF-16 offsets; words that the parser left between blocks become paragraphs, so that no text is lost. */
export function layOut(source: ContractText): Layout {
  const unit = unitOffsets(source.text);
  const blocks: Block[] = [];
  const pages = source.pages.map((page) => ({ number: page.number, start: unit(page.start) }));
  let page = 0;
  let covered = 0;
  const push = (kind: Block["kind"], start: number, end: number, number: string | null, level: number | null) => {
    let pageStart: number | null = null;
    for (let next = pages[page]; next !== undefined && next.start <= start; next = pages[page]) {
      pageStart = next.number;
      page += 1;
    }
    blocks.push({ key: start, kind, number, level: level ?? 0, pageStart, start, end });
  };
  const fill = (until: number) => {
    if (until > covered && source.text.slice(covered, until).trim() !== "") push("paragraph", covered, until, null, null);
  };
  for (const block of source.blocks) {
    const start = Math.max(unit(block.start), covered);
    const end = unit(block.end);
    if (end <= start) continue;
    fill(start);
    push(block.kind, start, end, block.number, block.level);
    covered = end;
  }
  fill(source.text.length);
  return { text: source.text, blocks, unit };
}

/** Lays marks over the blocks. Marks may overlap, nest and run across blocks. */
export function applyMarks(layout: Layout, marks: readonly Mark[]): MarkedBlock[] {
  const spans = marks
    .map((mark) => ({ ...mark, start: layout.unit(mark.start), end: layout.unit(mark.end) }))
    .filter((mark) => mark.end > mark.start)
    .sort((one, other) => one.start - other.start || other.end - one.end);
  let from = 0;
  return layout.blocks.map((block) => {
    while (from < spans.length && endsBefore(spans, from, block.start)) from += 1;
    const over: Mark[] = [];
    for (let index = from; index < spans.length; index += 1) {
      const span = spans[index];
      if (span === undefined || span.start >= block.end) break;
      if (span.end > block.start) over.push(span);
    }
    return markBlock(layout.text, block, over);
  });
}

function endsBefore(spans: readonly Mark[], index: number, offset: number): boolean {
  const span = spans[index];
  return span !== undefined && span.end <= offset;
}

function markBlock(text: string, block: Block, over: readonly Mark[]): MarkedBlock {
  if (over.length === 0) {
    const segments = [{ text: text.slice(block.start, block.end), marks: [], tone: null }];
    return { ...block, segments, markIds: NONE, tone: null, signature: "" };
  }
  const cuts = new Set([block.start, block.end]);
  for (const mark of over) {
    cuts.add(Math.max(mark.start, block.start));
    cuts.add(Math.min(mark.end, block.end));
  }
  const edges = [...cuts].sort((one, other) => one - other);
  const segments = edges.slice(0, -1).map((start, index) => {
    const end = edges[index + 1] ?? block.end;
    const here = over.filter((mark) => mark.start < end && mark.end > start).sort((one, other) => RANK[one.tone] - RANK[other.tone]);
    return { text: text.slice(start, end), marks: here.map((mark) => mark.id), tone: here[0]?.tone ?? null };
  });
  const tones = over.map((mark) => mark.tone).sort((one, other) => RANK[one] - RANK[other]);
  const signature = segments.map((segment) => `${segment.text.length}:${segment.tone ?? ""}:${segment.marks.join(",")}`).join("|");
  return { ...block, segments, markIds: new Set(over.map((mark) => mark.id)), tone: tones[0] ?? null, signature };
}

const NONE: ReadonlySet<string> = new Set();

/** A passage around its quote, in three pieces; offsets of the API count characters. */
import { unitOffsets } from "../reading/layout";
import type { Passage } from "../shapes";

export interface Excerpt {
  before: string;
  quote: string;
  after: string;
  /** Whether some of the passage is left out. */
  isCut: boolean;
}
const BEFORE = 160;
const AFTER = 320;

/** The whole passage, or so much of it that the quote has its surroundings. */
export function excerptOf({ text, span, citation }: Passage, whole: boolean): Excerpt {
  const { start, end } = quoted(text, span.start, citation);
  const from = whole ? 0 : wordStart(text, start - BEFORE);
  const until = whole ? text.length : wordEnd(text, end + AFTER);
  return {
    before: `${from > 0 ? "… " : ""}${text.slice(from, start)}`,
    quote: text.slice(start, end),
    after: `${text.slice(end, until)}${until < text.length ? " …" : ""}`,
    isCut: from > 0 || until < text.length,
  };
}

function quoted(text: string, from: number, { start, end, quote }: Passage["citation"]): { start: number; end: number } {
  const unit = unitOffsets(text);
  const place = { start: unit(start - from), end: unit(end - from) };
  if (text.slice(place.start, place.end) === quote) return place;
  const found = quote === "" ? -1 : text.indexOf(quote);
  return found < 0 ? { start: 0, end: 0 } : { start: found, end: found + quote.length };
}

function wordStart(text: string, at: number): number {
  if (at <= 0) return 0;
  const space = text.indexOf(" ", at);
  return space < 0 ? at : space + 1;
}

function wordEnd(text: string, at: number): number {
  if (at >= text.length) return text.length;
  const space = text.lastIndexOf(" ", at);
  return space < 0 ? at : space;
}

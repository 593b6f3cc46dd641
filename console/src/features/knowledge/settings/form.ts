/**
 * The settings as a form: every value as text under its place ("chunking.contract.max_chars"), the very
 * names that the server uses for what it objects to.
 */
import type { ApiError } from "@/api/problem";
import { words } from "@/design";
import type { Setup, SetupValue } from "../shapes";

export type Places = Readonly<Record<string, string>>;
export type Chunker = Setup["chunking"][string]["chunker"];

/** Document types that every tenant has; `text` serves all others. */
export const DEFAULT_TYPES: readonly string[] = ["contract", "thread", "article", "table", "text"];

export const CHUNKERS: Record<Chunker, { label: string; sizes: Record<string, { label: string; start: number }> }> = {
  clause: { label: "By clause", sizes: { max_chars: { label: "Longest, characters", start: 1500 }, item_chars: { label: "Cut at list items above", start: 1500 }, min_chars: { label: "Joined below", start: 120 } } },
  message: { label: "By message", sizes: { max_chars: { label: "Longest, characters", start: 1500 } } },
  section: { label: "By section", sizes: { max_chars: { label: "Longest, characters", start: 1500 }, min_chars: { label: "Joined below", start: 400 } } },
  rows: { label: "By rows", sizes: { max_chars: { label: "Longest, characters", start: 1500 }, max_rows: { label: "Rows at most", start: 40 } } },
  fixed: { label: "By sentences", sizes: { max_chars: { label: "Longest, characters", start: 1200 }, overlap_chars: { label: "Repeated from the one before", start: 150 } } },
};

export const NUMBERS: { place: string; label: string; hint: string }[] = [
  { place: "retrieval.limit", label: "Passages in an answer", hint: "1 to 50" },
  { place: "retrieval.max_tokens", label: "Tokens of all passages", hint: "100 to 100,000" },
  { place: "retrieval.neighbours", label: "Neighbours shown", hint: "Chunks before and after a hit, 0 to 5" },
  { place: "retrieval.relevance_floor", label: "Relevance floor", hint: "Nearness in meaning below this is no hit, 0 to 1" },
  { place: "retrieval.candidates", label: "Candidates", hint: "Chunks of each ranked list, up to 500" },
  { place: "retrieval.rrf_k", label: "Fusion constant", hint: "Higher evens out ranks, 1 to 1,000" },
];
export const WEIGHTS: { place: string; label: string }[] = [
  { place: "retrieval.weights.vector", label: "Meaning" },
  { place: "retrieval.weights.text", label: "Words" },
  { place: "retrieval.weights.exact", label: "Exact terms" },
  { place: "retrieval.weights.labels", label: "Labels" },
];

/** Every leaf of a setup as text, by its place. */
export function flatten(setup: unknown, below = ""): Record<string, string> {
  if (typeof setup !== "object" || setup === null) return { [below]: String(setup) };
  return Object.fromEntries(Object.entries(setup).flatMap(([name, value]) => Object.entries(flatten(value, below === "" ? name : `${below}.${name}`))));
}

/** The reverse. What is no number stays text, and the server says at its place what it must be. */
export function valueOf(places: Places): SetupValue {
  const value: Record<string, unknown> = {};
  for (const [place, text] of Object.entries(places)) {
    const steps = place.split(".");
    const last = steps.pop() ?? place;
    let at = value;
    for (const step of steps) {
      at[step] ??= {};
      at = at[step] as Record<string, unknown>;
    }
    at[last] = /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text.trim();
  }
  return value;
}

export function typesOf(places: Places): string[] {
  const own = Object.keys(places).flatMap((place) => /^chunking\.([^.]+)\.chunker$/.exec(place)?.[1] ?? []);
  return [...DEFAULT_TYPES.filter((type) => own.includes(type)), ...own.filter((type) => !DEFAULT_TYPES.includes(type)).sort()];
}

/** The places without one document type. */
export function withoutType(places: Places, type: string): Places {
  return Object.fromEntries(Object.entries(places).filter(([place]) => !place.startsWith(`chunking.${type}.`)));
}

/** The places with a document type cut by a chunker, with sizes to start from. */
export function withChunker(places: Places, type: string, chunker: Chunker): Places {
  const sizes = Object.entries(CHUNKERS[chunker].sizes).map(([name, { start }]) => [`chunking.${type}.${name}`, places[`chunking.${type}.${name}`] ?? String(start)]);
  return { ...withoutType(places, type), [`chunking.${type}.chunker`]: chunker, ...(Object.fromEntries(sizes) as Places) };
}

/** What was typed over an older version, laid over the present one. */
export function rebase(typed: Places, older: Places, present: Places): Places {
  const mine = [...new Set([...Object.keys(typed), ...Object.keys(older)])].filter((place) => typed[place] !== older[place]);
  const kept = Object.entries(present).filter(([place]) => !mine.includes(place));
  return { ...(Object.fromEntries(kept) as Places), ...(Object.fromEntries(mine.flatMap((place) => (typed[place] === undefined ? [] : [[place, typed[place]]]))) as Places) };
}

export function isSame(one: Places, other: Places): boolean {
  return differences(one, other).length === 0;
}

/** "Chunking contract max chars: 1500 → 900", for every place that differs. */
export function differences(before: Places, after: Places): string[] {
  const places = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((place) => before[place]?.trim() !== after[place]?.trim());
  return places.map((place) => `${words(place.replaceAll(".", " "))}: ${before[place] ?? "none"} → ${after[place] ?? "none"}`);
}

export interface Objections {
  /** By the place of a field that is shown. */
  at: Record<string, string>;
  /** Those that belong to no field in sight. */
  rest: string[];
}

export function objections(error: ApiError | null, places: Places): Objections {
  const found: Objections = { at: {}, rest: [] };
  for (const { field, message } of error?.fields ?? []) {
    if (places[field] !== undefined) found.at[field] ??= message;
    else found.rest.push(`${field}: ${message}`);
  }
  return found;
}

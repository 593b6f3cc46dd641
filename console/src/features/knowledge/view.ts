/** What the address holds of knowledge's pages. */
import type { DocumentStatus } from "./shapes";

/** Absent is the first tab and every document. */
export interface KnowledgeView {
  tab?: "sources" | "settings" | "indexes" | undefined;
  q?: string | undefined;
  status?: DocumentStatus | undefined;
  source?: string | undefined;
  /** The document that settings are tried on. */
  try?: string | undefined;
}
export interface Viewed {
  view: KnowledgeView;
  onView: (change: KnowledgeView) => void;
}

/** What is looked for, and where. */
export interface SearchView {
  q?: string | undefined;
  source?: string | undefined;
  type?: string | undefined;
  label?: string | undefined;
}

/** The place that a document opens at, and whether the borders of its chunks show. */
export interface DocumentView {
  start?: number | undefined;
  end?: number | undefined;
  chunks?: "shown" | undefined;
}

/** For tests: what knowledge's routes answer with. */
import type { Answer, CurrentSettings, DocumentChunk, DocumentText, KnowledgeDocument, KnowledgeIndex, KnowledgeStatus, Passage, Preview, Source } from "@/features/knowledge/shapes";
import { json, type Routes, session } from "./server";

const AT = "2026-05-01T10:00:00Z";

export function entry(part: Partial<KnowledgeDocument> = {}): KnowledgeDocument {
  return {
    id: "doc_1", source: "uploads", external_id: "x", name: "handbook.md", title: "Handbook", document_type: "article", media_type: "text/markdown", language: "en", pages: null, size_bytes: 1_200, sha256: "",
    revision: 1, status: "indexed", error: null, metadata: {}, readers: null, readable: true, run: "run_1", stream_url: "/v1/runs/run_1/events", uri: null, created_at: AT, updated_at: AT, ...part,
  };
}

export const WORDS = "Leave\n\nEveryone has thirty days of leave.\n\nTravel\n\nTrains are booked in second class.";
const PIECES = WORDS.split("\n\n");

export const PARSED: DocumentText = {
  document: "doc_1", revision: 1, text: WORDS, title: "Handbook", language: "en", media_type: "text/markdown", pages: [], boxes: [], definitions: [], warnings: [],
  blocks: PIECES.map((words, index) => ({ kind: index % 2 === 0 ? "heading" : "paragraph", start: WORDS.indexOf(words), end: WORDS.indexOf(words) + words.length, level: 1, number: null, attributes: {} })),
};

export function chunk(words: string, part: Partial<DocumentChunk> = {}): DocumentChunk {
  const start = WORDS.indexOf(words);
  return { index: 0, start, end: start + words.length, text: words, tokens: 9, heading_path: ["Leave"], number: null, page: null, attributes: {}, ...part };
}
export const CHUNKS = [chunk(PIECES.slice(0, 2).join("\n\n")), chunk(PIECES.slice(2).join("\n\n"), { index: 1, heading_path: ["Travel"] })];

export function passage(part: Partial<Passage> = {}): Passage {
  const quote = PIECES[3] ?? "";
  const start = WORDS.indexOf(quote);
  return {
    document: { id: "doc_1", name: "Handbook", source: "uploads", uri: null }, text: WORDS, span: { start: 0, end: WORDS.length }, hit: { start, end: start + quote.length }, citation: { start, end: start + quote.length, quote, page: null, fragment: "" },
    heading_path: ["Travel"], number: null, page: null, score: 0.82, similar: 0, similar_in: [], tokens: 20, attributes: {},
    explanation: { places: [{ name: "vector", rank: 1, score: 0.61, weight: 1, contribution: 0.0164 }], cosine: 0.61, bm25: 2.5, terms: [{ term: "train", score: 2.5 }], exact: [], labels: [], fused_rank: 1, rerank: null }, ...part,
  };
}

export function answer(part: Partial<Answer> = {}): Answer {
  return { passages: [passage()], reason: null, notes: [], searched: { documents: 1, chunks: 2, index: 1, model: "local/minilm", mode: "hybrid", terms: ["train"], exact: [], concepts: [], rewritten: null, timings: { total: 12 } }, ...part };
}

export function source(part: Partial<Source> = {}): Source {
  const config = { kind: "url" as const, urls: ["https://docs.example/a"], sitemap: null, follows_links: false, max_pages: 200 };
  return { name: "handbook", kind: "url", config, has_secret: true, is_paused: false, document_type: null, readers: null, every_seconds: 3600, due_at: AT, synced_at: AT, error: null, run: null, stream_url: null, created_by: "usr_1", created_at: AT, ...part };
}

export function settings(part: Partial<CurrentSettings> = {}): CurrentSettings {
  const weights = { vector: 1, text: 1, exact: 1, labels: 1 };
  const retrieval = { limit: 10, candidates: 100, rrf_k: 60, weights, relevance_floor: 0.2, neighbours: 1, max_tokens: 4000, rerank: "off" as const, rewrite: "off" as const };
  const chunking = { contract: { chunker: "clause" as const, max_chars: 1500, item_chars: 1500, min_chars: 120 }, text: { chunker: "fixed" as const, max_chars: 1200, overlap_chars: 150 } };
  return { version: 2, value: { embedding_model: "local/minilm", chunking, reindex_chunks_per_minute: 6000, retrieval }, note: "Shorter", created_by: "usr_1", created_at: AT, needs_rebuild: false, ...part };
}

export const PREVIEW: Preview = { document: "doc_1", document_type: "article", chunks: CHUNKS, total: 2, tokens: 18 };

export function index(part: Partial<KnowledgeIndex> = {}): KnowledgeIndex {
  return { id: "idx_1", number: 1, status: "active", settings_version: 0, embedding_model: "local/minilm", dimensions: 384, documents: 4, current: 4, chunks: 40, tokens: 4000, approximate: false, created_at: AT, activated_at: AT, retired_at: null, ...part };
}

export function standing(part: Partial<KnowledgeStatus> = {}): KnowledgeStatus {
  return { documents: { indexed: 1, pending: 0, failed: 0 }, failures: [], chunks: 2, indexes: [], sources: [], queue: { documents: 0, oldest_at: null }, ...part };
}

export const MANAGER = ["knowledge.view", "knowledge.edit", "knowledge.manage", "member.view"];

/** A server that holds these documents. */
export function knowledge(more: Routes = {}, documents: KnowledgeDocument[] = [entry()], permissions = MANAGER): Routes {
  const counted = (status: string) => documents.filter((each) => each.status === status).length;
  return {
    "GET /v1/session": () => json(session(permissions)),
    "GET /v1/knowledge/status": () => json(standing({ documents: { indexed: counted("indexed"), pending: counted("pending"), failed: counted("failed") } })),
    "GET /v1/knowledge/documents": ({ query }) => json({ items: documents.filter(({ status, name }) => (query.get("status") ?? status) === status && name.includes(query.get("q") ?? "")), next_cursor: null }),
    "GET /v1/knowledge/documents/doc_1": () => json(documents[0]),
    "GET /v1/knowledge/documents/doc_1/text": () => json(PARSED),
    "GET /v1/knowledge/documents/doc_1/chunks": () => json({ items: CHUNKS, next_cursor: null }),
    "GET /v1/knowledge/sources": () => json({ items: [source()] }),
    "GET /v1/knowledge/settings": () => json(settings()),
    "GET /v1/knowledge/settings/versions": () => json({ items: [settings(), { ...settings({ version: 1, note: "Longer" }), value: { ...settings().value, reindex_chunks_per_minute: 10 } }], next_cursor: null }),
    "GET /v1/knowledge/indexes": () => json({ items: [index()], total_documents: 4 }),
    "GET /v1/teams": () => json({ items: [{ id: "team_1", name: "Legal", created_at: AT }], next_cursor: null }),
    "GET /v1/members": () => json({ items: [], next_cursor: null }),
    ...more,
  };
}

/**
 * The words of the HTTP API, one alias each: the rest of the console imports from here only.
 * When the server's OpenAPI is generated into schema.gen.ts, these become aliases of its components.
 */
export type Severity = "critical" | "high" | "medium" | "low" | "info";
export type Decision = "open" | "accepted" | "dismissed" | "edited";
export type Method = "classifier" | "model" | "rule" | "deterministic";
export type RunStatus = "queued" | "running" | "succeeded" | "failed" | "cancelled";
export type StepStatus = "waiting" | "ready" | "running" | "succeeded" | "failed" | "cancelled";
export type RoleName = "owner" | "admin" | "reviewer" | "analyst" | "viewer";

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  retryable: boolean;
  request_id?: string;
  errors?: { field: string; message: string }[];
}

export interface TenantBrief {
  id: string;
  slug: string;
  name: string;
}
export interface Tenant extends TenantBrief {
  ai_enabled: boolean;
  created_at: string;
}
export interface User {
  id: string;
  email: string;
  name: string;
}
export interface Session {
  user: User | null;
  tenant: TenantBrief & { ai_enabled: boolean };
  role: RoleName | null;
  permissions: string[];
  csrf_token: string | null;
  tenants: (TenantBrief & { role: RoleName })[];
}
export interface Member {
  id: string;
  user: User;
  role: RoleName;
  created_at: string;
}
export interface NewMember extends Member {
  password?: string | null;
}
export interface ApiKey {
  id: string;
  name: string;
  prefix: string;
  scopes: string[];
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
}
export interface NewApiKey extends ApiKey {
  secret: string;
}
export interface Role {
  role: RoleName;
  permissions: string[];
}

export interface RunStep {
  name: string;
  title: string;
  status: StepStatus;
  attempt: number;
  started_at: string | null;
  finished_at: string | null;
  error: string | { code: string; detail: string } | null;
}
export interface Run {
  id: string;
  pipeline: string;
  status: RunStatus;
  subject: string;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  steps: RunStep[];
  error: { code: string; detail: string } | null;
}

export type SeverityCounts = Record<Severity, number>;
export interface Contract {
  id: string;
  name: string;
  media_type: string;
  size_bytes: number;
  sha256: string;
  pages: number | null;
  language: string | null;
  title: string | null;
  created_at: string;
  created_by: string;
  latest_run: Run | null;
  findings: (SeverityCounts & { open: number }) | null;
  playbook: string;
}
export interface Submitted {
  contract: Contract;
  run: Run;
  stream_url: string;
  duplicate: boolean;
}

export interface TextPage {
  number: number;
  start: number;
  end: number;
}
export interface TextBlock {
  kind: "heading" | "paragraph" | "list_item" | "table_row";
  start: number;
  end: number;
  number: string | null;
  level: number | null;
}
export interface TextChunk {
  index: number;
  start: number;
  end: number;
  number: string | null;
  heading_path: string[];
  page: number | null;
  labels: { category: string; probability: number; method: Method }[];
}
export interface ContractText {
  text: string;
  pages: TextPage[];
  blocks: TextBlock[];
  chunks: TextChunk[];
  definitions: { term: string; start: number; end: number }[];
  warnings: string[];
}

/** Offsets count characters (code points) of the parsed text, end exclusive. */
export interface Citation {
  start: number;
  end: number;
  quote: string;
  page: number | null;
  chunk: number | null;
}
export interface FindingEdit {
  title?: string | null;
  severity?: Severity | null;
  suggestion?: string | null;
}
export interface Finding {
  id: string;
  rule: string;
  kind: "missing" | "forbidden" | "limit" | "notice";
  severity: Severity;
  title: string;
  why: string;
  category: string | null;
  citations: Citation[];
  suggestion: string | null;
  method: Method;
  confidence: number;
  decision: Decision;
  decided_by: string | null;
  decided_at: string | null;
  reason: string | null;
  edited: FindingEdit | null;
}
export interface FindingDecision {
  decision: Decision;
  reason?: string;
  edited?: FindingEdit;
}
export interface Fact {
  name: string;
  value: string;
  normalized: string | null;
  method: Method;
  confidence: number;
  citations: Citation[];
}
export interface CategoryHit {
  category: string;
  method: Method;
  probability: number;
  citations: Citation[];
}
export interface SummarySentence {
  text: string;
  citations: Citation[];
}
export interface Report {
  contract: Contract;
  run_id: string;
  playbook: { name: string; version: number };
  generated_at: string;
  method: Method;
  ai_enabled: boolean;
  methods: { classify: Method; assess: Method; summarize: Method };
  summary: { method: Method; dropped: number; sentences: SummarySentence[] };
  model_text: { text: string; model: string; label: string } | null;
  facts: Fact[];
  categories: CategoryHit[];
  findings: Finding[];
  counts: SeverityCounts;
  warnings: string[];
}

export interface Playbook {
  name: string;
  version: number;
  title: string;
  side: "buyer" | "vendor" | "custom";
  rules: number;
  is_default: boolean;
  updated_at: string;
}
export interface PlaybookDetail extends Playbook {
  yaml: string;
}

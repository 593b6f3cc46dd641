/** Words of the HTTP API of approvals, one alias each over the generated types. */
import type { ApprovalState, Sent } from "@/api/schema";
import type { components } from "@/api/schema.gen";

type Shapes = components["schemas"];

export type ApprovalLine = Sent<Shapes["ApprovalSummary"]>;
export type Approval = Sent<Shapes["ApprovalShape"]>;
export type { ApprovalState };
export type HistoryEntry = Approval["history"][number];
export type Ruling = Shapes["DecideBody"];

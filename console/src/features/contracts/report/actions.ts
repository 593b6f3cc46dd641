/** What the parts of the report page ask of it. One context, so that cards stay memoised. */
import { createContext, useContext } from "react";
import type { Citation, ContractText, Finding } from "@/api/schema";
import type { Allowance } from "@/api/session";

export interface ReportActions {
  mayDecide: Allowance;
  text: ContractText | undefined;
  accept: (finding: Finding) => void;
  dismiss: (finding: Finding) => void;
  edit: (finding: Finding) => void;
  undo: (finding: Finding) => void;
  /** Scrolls the text to a finding's place. */
  show: (findingId: string) => void;
  /** Scrolls the text to a citation of the summary, a fact or a clause, and marks it. */
  showCitation: (citation: Citation) => void;
}

export const ReportContext = createContext<ReportActions | null>(null);

export function useReport(): ReportActions {
  const actions = useContext(ReportContext);
  if (actions === null) throw new Error("This part belongs inside the report page.");
  return actions;
}

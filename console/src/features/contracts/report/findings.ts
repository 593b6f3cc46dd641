/** What the report page derives from findings: the edited view, order, filters, marks. Pure. */
import type { Citation, ContractText, Decision, Finding, Severity } from "@/api/schema";
import { SEVERITIES } from "@/design";
import type { Mark } from "../reading/segments";

export interface FindingFilter {
  severity?: string | undefined;
  decision?: string | undefined;
  words?: string;
}

/** A finding with a reviewer's edits laid over it. */
export function effective(finding: Finding): Finding {
  const { edited } = finding;
  if (edited === null) return finding;
  return {
    ...finding,
    title: edited.title ?? finding.title,
    severity: edited.severity ?? finding.severity,
    suggestion: edited.suggestion ?? finding.suggestion,
  };
}

/** Worst first, then in the order of the text; what is absent from it comes last of its severity. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  const place = (finding: Finding) => finding.citations[0]?.start ?? Number.MAX_SAFE_INTEGER;
  return [...findings].sort((one, other) =>
    SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) || place(one) - place(other));
}

export function matches(finding: Finding, filter: FindingFilter): boolean {
  if (filter.severity !== undefined && finding.severity !== filter.severity) return false;
  if (filter.decision !== undefined && finding.decision !== filter.decision) return false;
  const words = filter.words?.trim().toLowerCase() ?? "";
  if (words === "") return true;
  const all = [finding.title, finding.why, finding.category ?? "", finding.suggestion ?? "", ...finding.citations.map(({ quote }) => quote)];
  return all.join("\n").toLowerCase().includes(words);
}

export function countBy<K extends string>(findings: readonly Finding[], key: (finding: Finding) => K): Partial<Record<K, number>> {
  const counts: Partial<Record<K, number>> = {};
  for (const finding of findings) counts[key(finding)] = (counts[key(finding)] ?? 0) + 1;
  return counts;
}

export function severityCounts(findings: readonly Finding[]): Partial<Record<Severity, number>> {
  return countBy(findings, ({ severity }) => severity);
}

export function decisionCounts(findings: readonly Finding[]): Partial<Record<Decision, number>> {
  return countBy(findings, ({ decision }) => decision);
}

export function findingMarks(findings: readonly Finding[]): Mark[] {
  return findings.flatMap((finding) =>
    finding.citations.map(({ start, end }) => ({
      id: finding.id,
      start,
      end,
      tone: finding.decision === "dismissed" ? ("dismissed" as const) : finding.severity,
    })));
}

/** The clause that a place lies in, as a reader names it: "4.2", "4.2(a)". */
function clauseAt(text: ContractText, offset: number): string | null {
  const at = text.blocks.findLastIndex(({ start }) => start <= offset);
  const number = text.blocks[at]?.number ?? null;
  if (number === null || !number.startsWith("(")) return number;
  const above = text.blocks.slice(0, at).findLast((block) => block.number !== null && !block.number.startsWith("("));
  return `${above?.number ?? ""}${number}`;
}

/** "4.2, page 3", as far as it is known. */
export function placeOf(citation: Citation, text: ContractText | undefined): string {
  const number = text === undefined ? null : (clauseAt(text, citation.start) ?? (citation.chunk === null ? null : (text.chunks[citation.chunk]?.number ?? null)));
  const parts = [number === null ? null : `\u00a7\u2009${number}`, citation.page === null ? null : `page ${citation.page}`];
  return parts.filter((part) => part !== null).join(", ");
}

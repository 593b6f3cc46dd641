import { useCallback, useDeferredValue, useMemo, useState } from "react";
import type { ContractText, Report } from "@/api/schema";
import { TabPanel, Tabs, useNarrow, useShortcuts } from "@/design";
import { ReportContext } from "./actions";
import { ClausesPanel, FactsPanel } from "./FactsPanel";
import { effective, type FindingFilter, findingMarks, inOrder, matches } from "./findings";
import { FindingsPanel } from "./FindingsPanel";
import { SummaryPanel } from "./SummaryPanel";
import { TextColumn } from "./TextColumn";
import { useDecisions } from "./useDecisions";
import { useSelection } from "./useSelection";
import s from "./report.module.css";

export type ReportTab = "findings" | "summary" | "facts" | "clauses" | "text";
export interface ReportView {
  tab?: Exclude<ReportTab, "findings"> | undefined;
  finding?: string | undefined;
  severity?: string | undefined;
  decision?: string | undefined;
}

interface Props {
  report: Report;
  text: ContractText | undefined;
  textError: Error | null;
  onRetryText: () => void;
  view: ReportView;
  /** Stable; changes what the URL says. */
  onView: (change: ReportView) => void;
}

/** Report and text side by side, linked both ways; one after the other where there is no room. */
export function ReportWorkspace({ report, text, textError, onRetryText, view, onView }: Props) {
  const narrow = useNarrow();
  const [words, setWords] = useState("");
  const search = useDeferredValue(words);
  const findings = useMemo(() => inOrder(report.findings.map(effective)), [report.findings]);
  const originals = useMemo(() => new Map(report.findings.map((finding) => [finding.id, finding])), [report.findings]);
  const { severity, decision } = view;
  const shown = useMemo(() => findings.filter((finding) => matches(finding, { severity, decision, words: search })), [findings, severity, decision, search]);
  const selected = findings.find(({ id }) => id === view.finding) ?? null;

  const select = useCallback((id: string) => { onView({ finding: id }); }, [onView]);
  const openText = useCallback(() => { if (narrow) onView({ tab: "text" }); }, [narrow, onView]);
  const selection = useSelection(view.finding ?? null, select, openText);
  const { fromList, show, showCitation, forgetCited } = selection;
  const marks = useMemo(() => [...findingMarks(findings), ...selection.citedMarks], [findings, selection.citedMarks]);
  const decisions = useDecisions(report.contract.id);
  const { mayDecide, accept, dismiss, edit, undo } = decisions;
  const actions = useMemo(
    () => ({ mayDecide, accept, dismiss, edit, undo, text, show, showCitation }),
    [mayDecide, accept, dismiss, edit, undo, text, show, showCitation],
  );

  // A click on a highlight opens its finding, also when a filter or another tab hides it.
  const fromText = useCallback((id: string) => {
    if (!originals.has(id)) return;
    forgetCited();
    if (shown.some((finding) => finding.id === id)) onView({ finding: id, tab: undefined });
    else {
      setWords("");
      onView({ finding: id, tab: undefined, severity: undefined, decision: undefined });
    }
  }, [originals, shown, onView, forgetCited]);
  const onFilter = useCallback((filter: FindingFilter) => {
    setWords(filter.words ?? "");
    onView({ severity: filter.severity, decision: filter.decision });
  }, [onView]);

  const step = (by: 1 | -1) => {
    const at = shown.findIndex(({ id }) => id === view.finding);
    const next = shown[at === -1 ? (by === 1 ? 0 : shown.length - 1) : Math.min(shown.length - 1, Math.max(0, at + by))];
    if (next === undefined) return;
    fromList(next.id);
    if (view.tab !== undefined && !narrow) onView({ finding: next.id, tab: undefined });
  };
  useShortcuts({
    j: () => { step(1); },
    k: () => { step(-1); },
    a: () => { if (selected?.decision === "open") accept(selected); },
    d: () => { if (selected?.decision === "open") dismiss(selected); },
    e: () => { if (selected !== null && selected.decision !== "dismissed") edit(selected); },
    u: () => { if (selected !== null && selected.decision !== "open") undo(selected); },
    t: () => { if (selected !== null) show(selected.id); },
  });

  const tab: ReportTab = view.tab === undefined || (view.tab === "text" && !narrow) ? "findings" : view.tab;
  const textColumn = (
    <TextColumn
      text={text}
      error={textError}
      onRetry={onRetryText}
      marks={marks}
      active={selection.active}
      hovered={selection.hovered}
      target={selection.target}
      shown={shown}
      selected={view.finding ?? null}
      onStep={step}
      onSelect={fromText}
      onHover={selection.setHovered}
    />
  );
  return (
    <ReportContext value={actions}>
      <div className={s.workspace}>
        <Tabs
          className={s.side}
          label="Report"
          value={tab}
          onChange={(next) => { onView({ tab: next === "findings" ? undefined : next }); }}
          tabs={[
            { value: "findings", label: "Findings", count: findings.length },
            { value: "summary", label: "Summary" },
            { value: "facts", label: "Facts", count: report.facts.length, minor: true },
            { value: "clauses", label: "Clauses", count: report.categories.length, minor: true },
            { value: "text", label: "Text", narrowOnly: true },
          ]}
        >
          <TabPanel value="findings" className={s.scroll}>
            <FindingsPanel
              all={findings}
              originals={originals}
              shown={shown}
              filter={{ severity, decision, words }}
              onFilter={onFilter}
              selected={view.finding ?? null}
              hovered={selection.hovered}
              onSelect={fromList}
              onHover={selection.setHovered}
            />
          </TabPanel>
          <TabPanel value="summary" className={s.scroll}><SummaryPanel report={report} /></TabPanel>
          <TabPanel value="facts" className={s.scroll}><FactsPanel facts={report.facts} /></TabPanel>
          <TabPanel value="clauses" className={s.scroll}><ClausesPanel categories={report.categories} /></TabPanel>
          {narrow && <TabPanel value="text" className={s.narrowText}>{textColumn}</TabPanel>}
        </Tabs>
        {!narrow && <section className={s.textSide} aria-label="Text of the contract">{textColumn}</section>}
      </div>
      {decisions.dialog}
    </ReportContext>
  );
}

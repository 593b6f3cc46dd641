import { useMemo } from "react";
import type { Finding } from "@/api/schema";
import { Button, cx, SearchBox, Segments, SEVERITIES, SEVERITY_LABEL, SeverityBadge, State } from "@/design";
import { useReport } from "./actions";
import { FindingCard } from "./FindingCard";
import { decisionCounts, type FindingFilter, placeOf, severityCounts } from "./findings";
import s from "./findings.module.css";

interface Props {
  all: readonly Finding[];
  originals: ReadonlyMap<string, Finding>;
  shown: readonly Finding[];
  filter: FindingFilter;
  onFilter: (filter: FindingFilter) => void;
  selected: string | null;
  hovered: string | null;
  onSelect: (id: string) => void;
  onHover: (id: string | null) => void;
}

export function FindingsPanel({ all, originals, shown, filter, onFilter, selected, hovered, onSelect, onHover }: Props) {
  const { text } = useReport();
  const places = useMemo(() => new Map(all.map((finding) => [finding.id, finding.citations[0] === undefined ? "" : placeOf(finding.citations[0], text)])), [all, text]);
  if (all.length === 0) {
    return (
      <State icon="check" title="Nothing to object to">
        <p>No rule of the playbook fired on this contract. The facts and the clauses found are on the other tabs.</p>
      </State>
    );
  }
  return (
    <>
      <Filters all={all} filter={filter} onFilter={onFilter} />
      {shown.length === 0 ? (
        <State icon="search" title="No finding matches" actions={<Button onClick={() => { onFilter({}); }}>Show all {all.length}</Button>} />
      ) : (
        <ol className={s.list} aria-label="Findings">
          {shown.map((finding) => (
            <FindingCard
              key={finding.id}
              finding={finding}
              original={originals.get(finding.id) ?? finding}
              place={places.get(finding.id) ?? ""}
              isSelected={finding.id === selected}
              isHovered={finding.id === hovered}
              onSelect={onSelect}
              onHover={onHover}
            />
          ))}
        </ol>
      )}
    </>
  );
}

function Filters({ all, filter, onFilter }: { all: readonly Finding[]; filter: FindingFilter; onFilter: (filter: FindingFilter) => void }) {
  const severities = severityCounts(all);
  const decisions = decisionCounts(all);
  const decided = all.length - (decisions.open ?? 0);
  return (
    <div className={s.filters}>
      <div className={s.review}>
        <progress max={all.length} value={decided} aria-label="Findings decided" />
        <span>{decided} of {all.length} decided</span>
      </div>
      <SearchBox label="Search findings" placeholder="Search findings" value={filter.words ?? ""} onChange={(words) => { onFilter({ ...filter, words }); }} />
      <div className={s.severities} role="group" aria-label="Severity">
        {SEVERITIES.filter((severity) => severities[severity] !== undefined).map((severity) => (
          <button
            key={severity}
            type="button"
            className={cx(s.severityChip)}
            data-severity={severity}
            aria-pressed={filter.severity === severity}
            onClick={() => { onFilter({ ...filter, severity: filter.severity === severity ? undefined : severity }); }}
          >
            <SeverityBadge severity={severity} short />
            <span>{SEVERITY_LABEL[severity]}</span>
            <b>{severities[severity]}</b>
          </button>
        ))}
      </div>
      <Segments
        label="Decision"
        value={filter.decision ?? ""}
        onChange={(decision) => { onFilter({ ...filter, decision: decision === "" ? undefined : decision }); }}
        options={[
          { value: "", label: "All", count: all.length },
          { value: "open", label: "Open", count: decisions.open ?? 0 },
          { value: "accepted", label: "Accepted", count: decisions.accepted ?? 0 },
          { value: "dismissed", label: "Dismissed", count: decisions.dismissed ?? 0 },
          { value: "edited", label: "Edited", count: decisions.edited ?? 0 },
        ]}
      />
    </div>
  );
}

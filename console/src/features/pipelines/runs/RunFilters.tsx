import { useQuery } from "@tanstack/react-query";
import { Input, Row, SearchBox, Select } from "@/design";
import type { RunStatus } from "@/api/schema";
import { RUN_STATUSES } from "./status";
import type { Since, Viewed } from "../view";
import { pipelinesQuery } from "./queries";
import s from "./runs.module.css";

const SINCE: { value: Since; label: string }[] = [
  { value: "1h", label: "Last hour" },
  { value: "24h", label: "Last 24 hours" },
  { value: "7d", label: "Last 7 days" },
  { value: "span", label: "Between two times" },
];
const blank = (text: string) => (text === "" ? undefined : text);

export function RunFilters({ view, onView }: Viewed) {
  const pipelines = useQuery(pipelinesQuery);
  const known = pipelines.data ?? [];
  const names = [...new Set([...known.map(({ name }) => name), ...(view.pipeline === undefined ? [] : [view.pipeline])])];
  const steps = [...new Set([...known.filter(({ name }) => view.pipeline === undefined || name === view.pipeline).flatMap((each) => each.steps.map(({ name }) => name)), ...(view.step === undefined ? [] : [view.step])])];
  return (
    <div className={s.filters} role="search" aria-label="Filter runs">
      <Row wrap gap={2}>
        <SearchBox label="Runs about a subject, such as ctr_..." placeholder="Subject, such as ctr_..." value={view.subject ?? ""} onChange={(subject) => { onView({ subject: blank(subject.trim()) }); }} />
        <Select aria-label="Status" value={view.status ?? ""} onChange={(event) => { onView({ status: blank(event.target.value) as RunStatus | undefined }); }}>
          <option value="">Every status</option>
          {Object.entries(RUN_STATUSES).map(([status, { label }]) => <option key={status} value={status}>{label}</option>)}
        </Select>
        <Select aria-label="Pipeline" value={view.pipeline ?? ""} onChange={(event) => { onView({ pipeline: blank(event.target.value), step: undefined }); }}>
          <option value="">Every pipeline</option>
          {names.map((name) => <option key={name} value={name}>{name}</option>)}
        </Select>
        <Select aria-label="Standing at the step" value={view.step ?? ""} onChange={(event) => { onView({ step: blank(event.target.value) }); }}>
          <option value="">At any step</option>
          {steps.map((name) => <option key={name} value={name}>{name}</option>)}
        </Select>
        <Select aria-label="Created" value={view.since ?? ""} onChange={(event) => { onView({ since: blank(event.target.value) as Since | undefined, after: undefined, before: undefined }); }}>
          <option value="">Any time</option>
          {SINCE.map(({ value, label }) => <option key={value} value={value}>{label}</option>)}
        </Select>
        <Input className={s.code} aria-label="Error code" placeholder="Error code" spellCheck={false} value={view.error ?? ""} onChange={(event) => { onView({ error: blank(event.target.value.trim()) }); }} />
      </Row>
      {view.since === "span" && (
        <Row wrap gap={2}>
          <span className={s.time}>From</span> <Input className={s.instant} aria-label="Created from" type="datetime-local" value={view.after ?? ""} onChange={(event) => { onView({ after: blank(event.target.value) }); }} />
          <span className={s.time}>until</span> <Input className={s.instant} aria-label="Created until" type="datetime-local" value={view.before ?? ""} onChange={(event) => { onView({ before: blank(event.target.value) }); }} />
        </Row>
      )}
    </div>
  );
}

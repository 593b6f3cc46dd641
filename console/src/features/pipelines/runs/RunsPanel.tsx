import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useAllowance } from "@/api/session";
import { ago, Arriving, atTime, Button, Card, duration, More, Row, rowLinkClass, State, Table, Text } from "@/design";
import { hasEnded } from "../runState";
import type { RunLine } from "../shapes";
import type { RunsView, Viewed } from "../view";
import { CancelManyDialog } from "./CancelManyDialog";
import { runsQuery } from "./queries";
import { RunFilters } from "./RunFilters";
import { RunStatusBadge } from "./status";
import s from "./runs.module.css";

const NOTHING: RunsView = { status: undefined, pipeline: undefined, step: undefined, error: undefined, subject: undefined, parent: undefined, since: undefined, after: undefined, before: undefined };
const isFiltered = (view: RunsView) => (Object.keys(NOTHING) as (keyof RunsView)[]).some((name) => view[name] !== undefined);

export function RunsPanel({ view, onView }: Viewed) {
  const list = useInfiniteQuery(runsQuery(view));
  const may = useAllowance("run.operate");
  const [cancelling, setCancelling] = useState(false);
  const clear = () => { onView(NOTHING); };
  const couldCancel = isFiltered(view) && view.error === undefined && (view.status === undefined || !hasEnded(view.status));
  return (
    <>
      <RunFilters view={view} onView={onView} />
      {(view.parent !== undefined || isFiltered(view)) && (
        <Row wrap gap={3} justify="space-between">
          <Text tone="soft" size="s">{view.parent === undefined ? "Only what matches is shown" : <>Runs that <code>{view.parent}</code> started</>}</Text>
          <Row gap={2}>
            {couldCancel && <Button size="s" icon="stop" denied={may.reason} onClick={() => { setCancelling(true); }}>Cancel what matches</Button>}
            <Button size="s" tone="quiet" icon="cross" onClick={clear}>Clear filters</Button>
          </Row>
        </Row>
      )}
      <Arriving query={list} what="The list of runs" lines={8}>
        {({ pages }) => <Listing runs={pages.flatMap((page) => page.items)} stale={list.isPlaceholderData} filtered={isFiltered(view)} onClear={clear} />}
      </Arriving>
      <More list={list} />
      {cancelling && <CancelManyDialog view={view} onClose={() => { setCancelling(false); }} />}
    </>
  );
}

function Listing({ runs, stale, filtered, onClear }: { runs: RunLine[]; stale: boolean; filtered: boolean; onClear: () => void }) {
  if (runs.length > 0) {
    return (
      <Card pad={false} className={s.tableCard}>
        <Table caption="Runs, newest first" columns={["Run", "Status", "Stands at", "Started by", "Created", "Took"]} stale={stale}>
          {runs.map((run) => <RunRow key={run.id} run={run} />)}
        </Table>
      </Card>
    );
  }
  if (filtered) {
    return (
      <Card>
        <State icon="search" title="No run matches" actions={<Button onClick={onClear}>Clear filters</Button>}>
          <p>Error codes, steps and subjects are matched whole.</p>
        </State>
      </Card>
    );
  }
  return (
    <Card>
      <State icon="play" title="Nothing has run yet">
        <p>Every analysis, every indexed document and whatever else a product does in the background shows here while it happens and after.</p>
      </State>
    </Card>
  );
}

function RunRow({ run }: { run: RunLine }) {
  return (
    <tr data-status={run.status}>
      <td>
        <Link to="/runs/$runId" params={{ runId: run.id }} className={rowLinkClass}>{run.pipeline}</Link>
        <span className={s.sub}>{run.subject ?? run.id}{run.parent !== null && ", part of another run"}</span>
      </td>
      <td data-label="Status"><RunStatusBadge status={run.status} />{run.error !== null && <span className={s.sub}>{run.error.code}</span>}</td>
      <td data-label="Stands at">{run.at_steps.length === 0 ? <span className={s.sub}>{hasEnded(run.status) ? "ended" : "not started"}</span> : run.at_steps.join(", ")}</td>
      <td data-label="Started by">{run.initiated_by ?? "the platform"}</td>
      <td data-label="Created"><time dateTime={run.created_at} title={atTime(run.created_at)}>{ago(run.created_at)}</time></td>
      <td data-label="Took">{tookOf(run)}</td>
    </tr>
  );
}

function tookOf({ started_at, finished_at, created_at }: RunLine): string {
  if (finished_at === null) return "";
  return duration(Date.parse(finished_at) - Date.parse(started_at ?? created_at));
}

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Arriving, Badge, Card, CardHead, count, duration, rowLinkClass, State, Table } from "@/design";
import type { Figures, Lane } from "./figures";
import { HoldsCard } from "./HoldsCard";
import { figuresQuery } from "./queries";
import s from "./operations.module.css";

/** What waits and what runs, lane by lane, and what is held. */
export function LanesPanel() {
  const figures = useQuery(figuresQuery);
  return (
    <>
      <HoldsCard />
      <Arriving query={figures} what="The lanes" lines={6}>{(data) => (data === null ? <Closed /> : <Lanes figures={data} />)}</Arriving>
    </>
  );
}

function Closed() {
  return (
    <Card label="Lanes">
      <State icon="lock" title="The platform's figures are for its operator">
        <p>Backlog, rates and workers are counted over all tenants together. The operator reads them with <code>mainspring top</code>, or at <code>/metrics</code> with the setting <code>metrics_token</code>. What waits of yours is among the runs.</p>
      </State>
    </Card>
  );
}

function Lanes({ figures }: { figures: Figures }) {
  const waiting = figures.lanes.reduce((sum, lane) => sum + lane.ready, 0);
  const oldest = Math.max(0, ...figures.lanes.map((lane) => lane.oldestSeconds));
  const busy = [...figures.lanes].sort((one, other) => other.ready + other.running - one.ready - one.running || one.pipeline.localeCompare(other.pipeline));
  return (
    <>
      <div className={s.tiles} role="group" aria-label="The platform now">
        <Tile name="Steps that wait" value={waiting.toLocaleString("en")} hint={waiting === 0 ? "none" : `the oldest for ${duration(oldest * 1000)}`} />
        <Tile name="Steps that run" value={figures.placesTaken.toLocaleString("en")} hint={`of ${count(figures.places, "place")}`} meter={figures.places === 0 ? 0 : figures.placesTaken / figures.places} />
        <Tile name="Workers" value={figures.workers.toLocaleString("en")} hint={figures.workers === 0 ? "none has told of itself lately" : "that tell of themselves"} alarm={figures.workers === 0} />
      </div>
      <Card pad={false} label="Lanes" className={s.tableCard}>
        <CardHead title="Lanes" lead="One for each step of each version, over all tenants of this platform" />
        {figures.lanes.length === 0 ? <State icon="play" title="No lane has been used lately" /> : (
          <Table caption="Lanes, the fullest first" columns={["Step", "Waits", "Oldest", "Runs", "Suspended", "To be retried", "Done each second", "Takes"]}>
            {busy.map((lane) => <LaneRow key={`${lane.pipeline}@${lane.version}/${lane.step}`} lane={lane} />)}
          </Table>
        )}
      </Card>
    </>
  );
}

function LaneRow({ lane }: { lane: Lane }) {
  return (
    <tr>
      <td>
        <Link to="/runs" search={{ pipeline: lane.pipeline, step: lane.step }} className={rowLinkClass}>{lane.step}</Link> {lane.isHeld && <Badge tone="medium" icon="pause">Held</Badge>}
        <span className={s.sub}>{lane.pipeline}, version {lane.version}</span>
      </td>
      <td data-label="Waits">{lane.ready}</td>
      <td data-label="Oldest">{lane.ready === 0 ? "" : duration(lane.oldestSeconds * 1000)}</td>
      <td data-label="Runs">{lane.running}</td>
      <td data-label="Suspended">{lane.suspended}</td>
      <td data-label="To be retried">{lane.retrying}</td>
      <td data-label="Done each second">{rate(lane.finishedPerSecond)}{lane.failedPerSecond !== null && lane.failedPerSecond > 0 && <span className={s.sub}>{rate(lane.failedPerSecond)} failed</span>}</td>
      <td data-label="Takes">{lane.meanSeconds === null ? "" : lane.meanSeconds < 0.1 ? `${Math.round(lane.meanSeconds * 1000)} ms` : duration(lane.meanSeconds * 1000)}</td>
    </tr>
  );
}

const rate = (each: number | null) => (each === null || each === 0 ? "" : each < 10 ? each.toFixed(2) : Math.round(each).toLocaleString("en"));

function Tile({ name, value, hint, meter, alarm }: { name: string; value: string; hint: string; meter?: number; alarm?: boolean }) {
  return (
    <div className={s.tile} data-alarm={alarm || undefined}>
      <span>{name}</span>
      <strong>{value}</strong>
      <small>{hint}</small>
      {meter !== undefined && <progress max={1} value={meter} aria-label={`${name}: ${Math.round(meter * 100)} percent`} />}
    </div>
  );
}

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Arriving, Badge, Card, CardHead, count, duration, rowLinkClass, State, Table } from "@/design";
import type { Lane } from "../shapes";
import { HoldsCard } from "./HoldsCard";
import { lanesQuery } from "./queries";
import s from "./operations.module.css";

/** What waits and what runs of the tenant, lane by lane, and what is held. */
export function LanesPanel() {
  const lanes = useQuery(lanesQuery);
  return (
    <>
      <HoldsCard />
      <Arriving query={lanes} what="The lanes" lines={6}>{(data) => <Lanes lanes={data} />}</Arriving>
    </>
  );
}

function Lanes({ lanes }: { lanes: Lane[] }) {
  const waiting = lanes.reduce((sum, lane) => sum + lane.ready, 0);
  const running = lanes.reduce((sum, lane) => sum + lane.running, 0);
  const oldest = Math.max(0, ...lanes.map((lane) => lane.oldest_seconds ?? 0));
  const busy = [...lanes].sort((one, other) => other.ready + other.running - one.ready - one.running || one.lane.localeCompare(other.lane));
  return (
    <>
      <div className={s.tiles} role="group" aria-label="Now">
        <Tile name="Steps that wait" value={waiting} hint={waiting === 0 ? "none" : `the oldest for ${duration(oldest * 1000)}`} />
        <Tile name="Steps that run" value={running} hint={running === 0 ? "none" : `in ${count(lanes.filter((lane) => lane.running > 0).length, "lane")}`} />
      </div>
      <Card pad={false} label="Lanes" className={s.tableCard}>
        <CardHead title="Lanes" lead="One for each step of each version in which something of yours waits or runs" />
        {lanes.length === 0 ? <State icon="play" title="Nothing waits and nothing runs" /> : (
          <Table caption="Lanes, the fullest first" columns={["Step", "Waits", "Oldest", "Runs"]}>
            {busy.map((lane) => <LaneRow key={lane.lane} lane={lane} />)}
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
        <Link to="/runs" search={{ pipeline: lane.pipeline, step: lane.step }} className={rowLinkClass}>{lane.step}</Link> {lane.is_paused && <Badge tone="medium" icon="pause">Paused</Badge>} {lane.is_draining && <Badge tone="medium" icon="pause">Draining</Badge>}
        <span className={s.sub}>{lane.pipeline}, version {lane.version}</span>
      </td>
      <td data-label="Waits">{lane.ready}</td>
      <td data-label="Oldest">{lane.oldest_seconds === null ? "" : duration(lane.oldest_seconds * 1000)}</td>
      <td data-label="Runs">{lane.running}</td>
    </tr>
  );
}

function Tile({ name, value, hint }: { name: string; value: number; hint: string }) {
  return (
    <div className={s.tile}>
      <span>{name}</span>
      <strong>{value.toLocaleString("en")}</strong>
      <small>{hint}</small>
    </div>
  );
}

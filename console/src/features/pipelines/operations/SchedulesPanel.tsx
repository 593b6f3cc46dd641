import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useAllowance } from "@/api/session";
import { ago, Arriving, atTime, Badge, Button, Card, CardHead, ConfirmDialog, IconButton, Menu, MenuItem, MenuLine, Notice, Row, RowMain, Rows, State, Text, toast, when } from "@/design";
import type { Schedule } from "../shapes";
import { schedulesQuery, useScheduleChanges } from "./queries";
import { ScheduleDialog } from "./ScheduleDialog";

/** Pipelines that the clock starts, each with its next firings. */
export function SchedulesPanel() {
  const schedules = useQuery(schedulesQuery);
  const may = useAllowance("run.operate");
  const [adding, setAdding] = useState(false);
  const add = <Button icon="plus" denied={may.reason} onClick={() => { setAdding(true); }}>Add a schedule</Button>;
  return (
    <>
      <Arriving query={schedules} what="The schedules" lines={4}>
        {(all) => (
          <Card pad={false} label="Schedules">
            {all.length === 0 ? (
              <State icon="clock" title="No schedules yet" actions={add}><p>A schedule starts a pipeline by the clock: once for each time of its cron line, and once for all that were missed.</p></State>
            ) : (
              <>
                <CardHead title="Schedules" lead="Once for each time, however many workers there are">{add}</CardHead>
                <Rows label="Schedules">{all.map((schedule) => <ScheduleRow key={schedule.id} schedule={schedule} />)}</Rows>
              </>
            )}
          </Card>
        )}
      </Arriving>
      {adding && <ScheduleDialog schedule={null} onClose={() => { setAdding(false); }} />}
    </>
  );
}

function ScheduleRow({ schedule }: { schedule: Schedule }) {
  const may = useAllowance("run.operate");
  const { change, remove } = useScheduleChanges();
  const [asking, setAsking] = useState<"edit" | "delete" | null>(null);
  const close = () => { setAsking(null); };
  const pause = () => { change.mutate({ id: schedule.id, is_paused: !schedule.is_paused }, { onError: (error) => { toast(error.message, { tone: "critical" }); } }); };
  return (
    <li>
      <RowMain>
        <Row gap={2} wrap><strong>{schedule.name}</strong><Badge outline>{schedule.pipeline}</Badge>{schedule.is_paused && <Badge tone="medium" icon="pause">Paused</Badge>}</Row>
        <Text as="p" tone="soft" size="s"><code>{schedule.cron}</code>: {schedule.cron_text}, {schedule.timezone}</Text>
        <Text as="p" tone="faint" size="s">{schedule.upcoming.length === 0 ? "No firing is due" : <>Next {schedule.upcoming.slice(0, 3).map((each, index) => <span key={each}>{index > 0 && ", then "}<time dateTime={each} title={when(each)}>{atTime(each)}</time></span>)}</>}</Text>
        <Text as="p" tone="faint" size="s">{schedule.last_fired_at === null ? "Has not fired yet" : <>Last {ago(schedule.last_fired_at)}{schedule.last_run !== null && <>: <Link to="/runs/$runId" params={{ runId: schedule.last_run }}>its run</Link></>}</>}; made by {schedule.created_by}</Text>
        {schedule.last_problem !== null && <Notice tone="critical" title="The last firing started nothing">{schedule.last_problem}</Notice>}
      </RowMain>
      <Menu trigger={<IconButton size="s" icon="more" label={`More for ${schedule.name}`} hint="More" />}>
        <MenuItem icon="pencil" disabled={!may.allowed} hint={may.reason} onSelect={() => { setAsking("edit"); }}>Change</MenuItem>
        <MenuItem icon={schedule.is_paused ? "play" : "pause"} disabled={!may.allowed} hint={may.reason} onSelect={pause}>{schedule.is_paused ? "Let it go on" : "Pause"}</MenuItem>
        <MenuLine />
        <MenuItem icon="trash" danger disabled={!may.allowed} hint={may.reason} onSelect={() => { setAsking("delete"); }}>Delete</MenuItem>
      </Menu>
      {asking === "edit" && <ScheduleDialog schedule={schedule} onClose={close} />}
      {asking === "delete" && <ConfirmDialog title={`Delete the schedule ${schedule.name}?`} action="Delete the schedule" onClose={close} run={() => remove.mutateAsync(schedule.id)}>It fires no more. Runs that it started go on.</ConfirmDialog>}
    </li>
  );
}

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Arriving, Badge, Button, Card, CardHead, duration, Facts, fileSize, JsonView, More, Notice, RowMain, Rows, Segments, Text } from "@/design";
import { waitWords } from "../components/StepList";
import type { StepView } from "../runState";
import { StepStatusBadge } from "../runs/status";
import type { Payload, StepDetail } from "../shapes";
import type { RunPageView } from "../view";
import { itemsQuery, stepQuery } from "./queries";
import s from "./runpage.module.css";

interface Props {
  runId: string;
  step: StepView;
  view: RunPageView;
  onView: (change: RunPageView) => void;
}

/** One step: how it went, what went in and came out; of a fan-out its items, and one of them. */
export function StepPanel({ runId, step, view, onView }: Props) {
  const item = view.item ?? null;
  // What is shown is read anew when the stream tells that the step has moved.
  const detail = useQuery(stepQuery(runId, step.name, item, `${step.status}-${step.attempt}`));
  return (
    <>
      {step.items !== null && <Items runId={runId} step={step} view={view} onView={onView} />}
      <Card pad={false} label="Step">
        <CardHead title={item === null ? step.title : `${step.title}, item ${item + 1}`} lead={step.name}>
          {item !== null && <Button size="s" icon="left" onClick={() => { onView({ item: undefined }); }}>The whole step</Button>}
        </CardHead>
        <div className={s.padded}>
          <Arriving query={detail} what="The step" lines={5}>{(data) => <Detail detail={data} />}</Arriving>
        </div>
      </Card>
    </>
  );
}

function StepFacts({ detail }: { detail: StepDetail }) {
  const took = detail.started_at === null || detail.finished_at === null ? null : duration(Date.parse(detail.finished_at) - Date.parse(detail.started_at));
  const isRetried = detail.status === "waiting" && detail.failures > 0;
  return (
    <Facts
      facts={[
        ["Status", <StepStatusBadge key="status" status={detail.status} />],
        ["Took", took],
        ["Attempts", detail.attempt],
        ["Failed attempts", detail.failures > 0 ? detail.failures : null],
        ["Workers lost", detail.losses > 0 ? detail.losses : null],
        ["Lane", detail.lane],
        ["After", detail.after.length === 0 ? null : detail.after.join(", ")],
        ["Tried again", isRetried ? <At key="due" instant={detail.due_at} /> : null],
        ["Waits for", detail.awaited === null ? null : waitWords(detail.awaited)],
        ["Until", detail.wake_at === null ? null : <At key="wake" instant={detail.wake_at} />],
      ]}
    />
  );
}

function Detail({ detail }: { detail: StepDetail }) {
  const isHidden = detail.input === null && detail.output === null && detail.status === "succeeded";
  return (
    <div className={s.detail}>
      <StepFacts detail={detail} />
      {detail.role === "compensation" && <Notice tone="medium">This undoes a step that had been done.</Notice>}
      {detail.error !== null && <Notice tone="critical" title={detail.error.code}>{detail.error.detail}</Notice>}
      {isHidden && <Notice>What went in and came out is not shown: it is about what is closed to you, or nothing was kept.</Notice>}
      <PayloadView name="Input" payload={detail.input} />
      <PayloadView name="Output" payload={detail.output} />
      {detail.trace !== null && (
        <section>
          <h3 className={s.label}>Trace of the last failure</h3>
          <JsonView label="Trace of the last failure" value={`${detail.trace}\n`} />
        </section>
      )}
    </div>
  );
}

function At({ instant }: { instant: string | null }) {
  if (instant === null) return null;
  return <time dateTime={instant}>{new Date(instant).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })}</time>;
}

/** Stored JSON; of what is over the limit only the beginning is there. */
export function PayloadView({ name, payload }: { name: string; payload: Payload | null }) {
  if (payload === null) return null;
  return (
    <section>
      <h3 className={s.label}>{name} <Text tone="faint" size="s">{fileSize(payload.size)}{payload.is_cut && ", the beginning is shown"}</Text></h3>
      <JsonView label={name} value={payload.is_cut ? `${payload.text ?? ""}\n...` : payload.value} />
    </section>
  );
}

function Items({ runId, step, view, onView }: Props) {
  const moving = step.status === "gathering";
  const status = view.items === "failed" ? "failed" : undefined;
  const list = useInfiniteQuery(itemsQuery(runId, step.name, status, moving));
  return (
    <Card pad={false} label="Items">
      <CardHead title="Items" lead={`${step.items?.done ?? 0} of ${step.items?.total ?? 0} have ended, ${step.items?.failed ?? 0} of them in failure`}>
        <Segments label="Which items" value={view.items ?? "all"} onChange={(items) => { onView({ items: items === "all" ? undefined : "failed" }); }} options={[{ value: "all", label: "All" }, { value: "failed", label: "Failed" }]} />
      </CardHead>
      <Arriving query={list} what="The items" lines={3}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0) return <p className={s.padded}>{status === undefined ? "There was nothing to fan out over." : "None has failed."}</p>;
          return (
            <div className={s.items}>
              <Rows label="Items">
                {items.map((each) => (
                  <li key={each.item} data-item={each.item}>
                    <RowMain>
                      <button type="button" className={s.itemLink} aria-pressed={view.item === each.item} onClick={() => { onView({ item: each.item ?? undefined }); }}>Item {(each.item ?? 0) + 1}</button>
                      {each.error !== null && <Text tone="critical" size="s">{each.error.code}: {each.error.detail}</Text>}
                    </RowMain>
                    {each.attempt > 1 && <Badge outline>attempt {each.attempt}</Badge>}
                    <StepStatusBadge status={each.status} />
                  </li>
                ))}
              </Rows>
              <More list={list} />
            </div>
          );
        }}
      </Arriving>
    </Card>
  );
}

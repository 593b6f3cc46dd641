import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ago, Arriving, atTime, Badge, Button, Card, CardHead, count, Dialog, DialogActions, Field, More, Notice, Row, RowMain, Rows, Segments, Select, State, Text, toast, when } from "@/design";
import { deliveriesQuery, deliveryQuery, useEndpointChanges } from "./queries";
import type { Attempt, Delivery, DeliveryState, Endpoint } from "./shapes";
import { DELIVERY_STATES, DeliveryBadge } from "./words";
import s from "./delivery.module.css";

export interface DeliveriesView {
  state?: DeliveryState | undefined;
  delivery?: string | undefined;
}
interface Props {
  endpoint: Endpoint;
  view: DeliveriesView;
  onView: (change: DeliveriesView) => void;
}

/** What was sent to an endpoint and what came of it, attempt by attempt. */
export function Deliveries({ endpoint, view, onView }: Props) {
  const list = useInfiniteQuery(deliveriesQuery(endpoint.id, view.state));
  const [replaying, setReplaying] = useState(false);
  return (
    <Card pad={false} label="Deliveries">
      <CardHead title="Deliveries" lead="The newest first">
        <Segments label="Which deliveries" value={view.state ?? "all"} onChange={(state) => { onView({ state: state === "all" ? undefined : state, delivery: undefined }); }} options={[{ value: "all" as const, label: "All" }, ...DELIVERY_STATES]} />
        <Button size="s" icon="refresh" onClick={() => { setReplaying(true); }}>Send again</Button>
      </CardHead>
      <Arriving query={list} what="The deliveries" lines={4}>
        {({ pages }) => {
          const deliveries = pages.flatMap((page) => page.items);
          if (deliveries.length === 0) return <State icon="send" title={view.state === undefined ? "Nothing was sent yet" : "None of that kind"}><p>Send a test event to see what arrives.</p></State>;
          return (
            <>
              <Rows label="Deliveries">{deliveries.map((delivery) => <DeliveryRow key={delivery.id} endpoint={endpoint.id} delivery={delivery} open={view.delivery === delivery.id} onOpen={(open) => { onView({ delivery: open ? delivery.id : undefined }); }} />)}</Rows>
              <More list={list} />
            </>
          );
        }}
      </Arriving>
      {replaying && <ReplayDialog endpoint={endpoint.id} onClose={() => { setReplaying(false); }} />}
    </Card>
  );
}

function DeliveryRow({ endpoint, delivery, open, onOpen }: { endpoint: string; delivery: Delivery; open: boolean; onOpen: (open: boolean) => void }) {
  const { replay } = useEndpointChanges();
  const over = delivery.state === "delivered" || delivery.state === "failed";
  const again = () => { replay.mutate({ endpoint, delivery: delivery.id }, { onSuccess: () => { toast("It is sent again, under the same id"); }, onError: (error) => { toast(error.message, { tone: "critical" }); } }); };
  return (
    <li data-delivery={delivery.id} data-state={delivery.state}>
      <RowMain>
        <Row gap={2} wrap><strong>{delivery.topic}</strong><Text tone="faint" size="s">{ago(delivery.created_at)}</Text></Row>
        <Text as="p" tone="faint" size="s"><code>{delivery.event}</code>, {count(delivery.attempts, "attempt")}{delivery.state === "pending" && delivery.due_at !== null && delivery.attempts > 0 && `, the next ${when(delivery.due_at)}`}</Text>
      </RowMain>
      <Row gap={2} wrap>
        <DeliveryBadge state={delivery.state} />
        <Button size="s" icon={open ? "down" : "right"} aria-expanded={open} onClick={() => { onOpen(!open); }}>Attempts</Button>
        {over && <Button size="s" icon="refresh" busy={replay.isPending} onClick={again}>Send it again</Button>}
      </Row>
      {open && <Attempts endpoint={endpoint} delivery={delivery} />}
    </li>
  );
}

function Attempts({ endpoint, delivery }: { endpoint: string; delivery: Delivery }) {
  const detail = useQuery(deliveryQuery(endpoint, delivery.id));
  return (
    <div className={s.attempts}>
      <Arriving query={detail} what="The attempts" lines={2}>
        {({ tries }) => (tries.length === 0 ? <p className={s.none}>No attempt was made yet.</p> : <ol aria-label="Attempts">{tries.map((each) => <Try key={each.number} attempt={each} />)}</ol>)}
      </Arriving>
    </div>
  );
}

function Try({ attempt }: { attempt: Attempt }) {
  return (
    <li>
      <Row gap={2} wrap>
        <Badge tone={attempt.succeeded ? "good" : "critical"} icon={attempt.succeeded ? "check" : "cross"}>{attempt.status ?? "no answer"}</Badge>
        <Text size="s">{atTime(attempt.at)}, {attempt.milliseconds} ms</Text>
        {attempt.error !== null && <Text tone="critical" size="s">{attempt.error}</Text>}
      </Row>
      {attempt.response !== null && attempt.response !== "" && <pre className={s.response} aria-label="What it answered">{attempt.response}</pre>}
    </li>
  );
}

const SPANS = [
  { hours: 1, label: "The last hour" },
  { hours: 24, label: "The last day" },
  { hours: 168, label: "The last week" },
];

function ReplayDialog({ endpoint, onClose }: { endpoint: string; onClose: () => void }) {
  const [hours, setHours] = useState(24);
  const [which, setWhich] = useState<"failed" | "ended">("failed");
  const { replaySpan } = useEndpointChanges();
  const send = () => {
    replaySpan.mutate({ endpoint, since: new Date(Date.now() - hours * 3_600_000).toISOString(), failedOnly: which === "failed" }, { onSuccess: (sent) => { toast(`${count(sent.count, "delivery", "deliveries")} sent again`); onClose(); } });
  };
  return (
    <Dialog title="Send again" onClose={onClose}>
      <Field label="Of the events of"><Select value={hours} onChange={(event) => { setHours(Number(event.target.value)); }}>{SPANS.map((each) => <option key={each.hours} value={each.hours}>{each.label}</option>)}</Select></Field>
      <Segments label="Which" value={which} onChange={setWhich} options={[{ value: "failed", label: "Only what failed" }, { value: "ended", label: "What was taken, too" }]} />
      <p>Each is sent under its own id again, by which the receiver knows what it has taken before.</p>
      {replaySpan.error && <Notice tone="critical" title="Not sent">{replaySpan.error.message}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="primary" busy={replaySpan.isPending} onClick={send}>Send again</Button>
      </DialogActions>
    </Dialog>
  );
}

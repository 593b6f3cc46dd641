import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useAllowance } from "@/api/session";
import { ago, Arriving, atTime, Button, Card, ConfirmDialog, Denied, Facts, Icon, Notice, Row, Switch, toast } from "@/design";
import { Deliveries, type DeliveriesView } from "./Deliveries";
import { EndpointDialog } from "./EndpointDialog";
import { endpointQuery, useEndpointChanges } from "./queries";
import { RotateDialog } from "./RotateDialog";
import type { Endpoint } from "./shapes";
import { SigningSecret } from "./WebhooksPage";
import { EndpointBadge, FORMATS, healthWords, topicWords } from "./words";
import s from "./delivery.module.css";

interface Props {
  endpointId: string;
  view: DeliveriesView;
  onView: (change: DeliveriesView) => void;
  onDeleted: () => void;
}

export function EndpointPage(props: Props) {
  const may = useAllowance("delivery.manage");
  return may.allowed ? <Found {...props} /> : <Card><Denied reason={may.reason ?? ""} /></Card>;
}

function Found({ endpointId, view, onView, onDeleted }: Props) {
  const endpoint = useQuery(endpointQuery(endpointId));
  return (
    <Arriving query={endpoint} what="The endpoint" lines={6}>
      {(data) => (
        <>
          <Head endpoint={data} onDeleted={onDeleted} />
          <Health endpoint={data} />
          <Deliveries endpoint={data} view={view} onView={onView} />
        </>
      )}
    </Arriving>
  );
}

function Head({ endpoint, onDeleted }: { endpoint: Endpoint; onDeleted: () => void }) {
  const [asking, setAsking] = useState<"edit" | "rotate" | "delete" | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const { change, test, remove } = useEndpointChanges();
  const onError = (error: Error) => { toast(error.message, { tone: "critical" }); };
  const close = () => { setAsking(null); };
  return (
    <header className={s.head}>
      <Link to="/settings/webhooks" className={s.back}><Icon name="left" size={14} /> Webhooks</Link>
      <h2>{endpoint.url}</h2>
      <Row gap={3} wrap>
        <EndpointBadge endpoint={endpoint} />
        <Switch label="Events are sent to it" checked={endpoint.state === "on"} busy={change.isPending} onChange={(on) => { change.mutate({ endpoint: endpoint.id, is_on: on }, { onError }); }} />
        <Button size="s" icon="send" busy={test.isPending} onClick={() => { test.mutate(endpoint.id, { onSuccess: () => { toast("A test event is on its way"); }, onError }); }}>Send a test event</Button>
        <Button size="s" icon="pencil" onClick={() => { setAsking("edit"); }}>Change</Button>
        <Button size="s" icon="key" onClick={() => { setAsking("rotate"); }}>Rotate the secret</Button>
        <Button size="s" icon="trash" onClick={() => { setAsking("delete"); }}>Delete</Button>
      </Row>
      {asking === "edit" && <EndpointDialog endpoint={endpoint} onClose={close} />}
      {asking === "rotate" && <RotateDialog endpoint={endpoint} onClose={close} onSecret={setSecret} />}
      {asking === "delete" && <ConfirmDialog title="Delete the endpoint?" action="Delete the endpoint" onClose={close} run={async () => { await remove.mutateAsync(endpoint.id); onDeleted(); }}>Nothing is sent to it any more, and what was sent is forgotten with it.</ConfirmDialog>}
      {secret !== null && <SigningSecret secret={secret} onClose={() => { setSecret(null); }} />}
    </header>
  );
}

function Health({ endpoint }: { endpoint: Endpoint }) {
  const { health } = endpoint;
  return (
    <Card label="Health">
      <div className={s.health}>
        {endpoint.state_reason !== null && <Notice tone={endpoint.state === "off" ? "info" : "critical"} title="Nothing is sent to it">{endpoint.state_reason}. What comes meanwhile is held, and sent when it is on again.</Notice>}
        <Facts
          facts={[
            ["Health", healthWords(endpoint)],
            ["Last taken", health.last_success_at === null ? "never yet" : ago(health.last_success_at)],
            ["Failures in a row", health.failures],
            ["Last failure", health.last_failure === null ? null : `${health.last_failure}${health.last_failure_at === null ? "" : `, ${ago(health.last_failure_at)}`}`],
            ["Events", topicWords(endpoint).join(", ")],
            ["Format", FORMATS.find(({ value }) => value === endpoint.format)?.label ?? endpoint.format],
            ["What it is for", endpoint.description === "" ? null : endpoint.description],
            ["Made", `${atTime(endpoint.created_at)} by ${endpoint.created_by}`],
          ]}
        />
      </div>
    </Card>
  );
}

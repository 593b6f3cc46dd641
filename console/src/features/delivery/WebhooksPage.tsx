import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useAllowance } from "@/api/session";
import { ago, Arriving, Badge, Button, Card, CardHead, Denied, Row, rowLinkClass, RowMain, Rows, SecretDialog, State, Text } from "@/design";
import { EndpointDialog } from "./EndpointDialog";
import { endpointsQuery } from "./queries";
import type { Endpoint } from "./shapes";
import { EndpointBadge, healthWords, topicWords } from "./words";

/** Where events go out to, each with how it has been doing. */
export function WebhooksPage() {
  const may = useAllowance("delivery.manage");
  return may.allowed ? <Endpoints /> : <Card><Denied reason={may.reason ?? ""} /></Card>;
}

function Endpoints() {
  const endpoints = useQuery(endpointsQuery);
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const add = <Button icon="plus" onClick={() => { setAdding(true); }}>Add an endpoint</Button>;
  return (
    <>
      <Arriving query={endpoints} what="The webhooks" lines={4}>
        {(all) => (
          <Card pad={false} label="Webhooks">
            {all.length === 0 ? (
              <State icon="hook" title="No webhooks yet" actions={add}><p>An endpoint is a web address of yours that is told when a run ends, an approval is asked for or what else you choose happens. What it does not take is sent again, over days.</p></State>
            ) : (
              <>
                <CardHead title="Webhooks" lead="Signed by the Standard Webhooks specification; what is not taken is sent again, over days">{add}</CardHead>
                <Rows label="Endpoints">{all.map((endpoint) => <EndpointRow key={endpoint.id} endpoint={endpoint} />)}</Rows>
              </>
            )}
          </Card>
        )}
      </Arriving>
      {adding && <EndpointDialog endpoint={null} onClose={() => { setAdding(false); }} onSecret={setSecret} />}
      {secret !== null && <SigningSecret secret={secret} onClose={() => { setSecret(null); }} />}
    </>
  );
}

export function SigningSecret({ secret, onClose }: { secret: string; onClose: () => void }) {
  return <SecretDialog title="The signing secret" label="Signing secret" secret={secret} onClose={onClose}>Give it to what receives the events: it tells ours from others by their signature. Nobody can look it up later.</SecretDialog>;
}

function EndpointRow({ endpoint }: { endpoint: Endpoint }) {
  return (
    <li>
      <RowMain>
        <Link to="/settings/webhooks/$endpointId" params={{ endpointId: endpoint.id }} className={rowLinkClass}>{endpoint.url}</Link>
        {endpoint.description !== "" && <Text as="p" tone="soft" size="s">{endpoint.description}</Text>}
        <Row gap={1} wrap>{topicWords(endpoint).map((words) => <Badge key={words} outline>{words}</Badge>)}</Row>
        <Text as="p" tone={endpoint.health.failures > 0 ? "critical" : "faint"} size="s">{healthWords(endpoint)}{endpoint.health.last_success_at !== null && `, last taken ${ago(endpoint.health.last_success_at)}`}</Text>
      </RowMain>
      <EndpointBadge endpoint={endpoint} />
    </li>
  );
}

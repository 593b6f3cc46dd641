import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ProviderKey } from "@/api/schema";
import { useAllowance } from "@/api/session";
import { ago, Badge, Button, Card, Failure, Loading, Notice, Row, SkeletonLines, State, Text } from "@/design";
import { useActor } from "../actor";
import { providerKeysQuery } from "../queries";
import { DeleteKeyDialog } from "./DeleteKeyDialog";
import { providerName } from "./providers";
import { SetKeyDialog } from "./SetKeyDialog";
import s from "../gateway.module.css";

export function KeysPanel() {
  const keys = useQuery(providerKeysQuery);
  const may = useAllowance("gateway.manage");
  const [adding, setAdding] = useState(false);
  return (
    <Card pad={false} label="Provider keys">
      <header className={s.cardHead}>
        <div>
          <h2>Provider keys</h2>
          <Text as="p" tone="faint" size="s">Your own keys at providers. Calls use them in place of the platform’s, and the provider bills you</Text>
        </div>
        <Button icon="plus" denied={may.reason} onClick={() => { setAdding(true); }}>Set a key</Button>
      </header>
      {keys.isError ? (
        <Failure what="The provider keys" error={keys.error} onRetry={() => void keys.refetch()} />
      ) : keys.data === undefined ? (
        <Loading label="Loading the provider keys"><div className={s.padded}><SkeletonLines /></div></Loading>
      ) : keys.data.length === 0 ? (
        <State icon="key" title="No keys of your own"><p>Calls use the keys that the platform’s operator has set.</p></State>
      ) : (
        <ul className={s.rows}>{keys.data.map((key) => <KeyRow key={key.provider} stored={key} />)}</ul>
      )}
      {adding && <SetKeyDialog held={keys.data ?? []} onClose={() => { setAdding(false); }} />}
    </Card>
  );
}

function KeyRow({ stored }: { stored: ProviderKey }) {
  const may = useAllowance("gateway.manage");
  const [asking, setAsking] = useState<"replace" | "delete" | null>(null);
  const maker = useActor(stored.created_by);
  const name = providerName(stored.provider);
  return (
    <li>
      <div className={s.rowMain}>
        <Row gap={2} wrap>
          <strong>{name}</strong>
          <code aria-label={`ends in ${stored.last_four}`}>••••{stored.last_four}</code>
          {stored.state === "ok" ? <Badge tone="good" icon="check">In use</Badge> : <Badge tone="critical" icon="warning">Unreadable</Badge>}
        </Row>
        <Text as="p" tone="faint" size="s">Set {ago(stored.created_at)} by {maker}</Text>
      </div>
      <Row gap={2}>
        <Button size="s" denied={may.reason} aria-label={`Replace the key for ${name}`} onClick={() => { setAsking("replace"); }}>Replace</Button>
        <Button size="s" tone="danger" denied={may.reason} aria-label={`Delete the key for ${name}`} onClick={() => { setAsking("delete"); }}>Delete</Button>
      </Row>
      {stored.state === "unreadable" && (
        <div className={s.rowNotice}>
          <Notice tone="critical" title={`Calls to ${name} are refused: this key cannot be read`}>{stored.trouble ?? "Set it again, or delete it to go back to the platform’s key."}</Notice>
        </div>
      )}
      {asking === "replace" && <SetKeyDialog provider={stored.provider} held={[]} onClose={() => { setAsking(null); }} />}
      {asking === "delete" && <DeleteKeyDialog stored={stored} onClose={() => { setAsking(null); }} />}
    </li>
  );
}

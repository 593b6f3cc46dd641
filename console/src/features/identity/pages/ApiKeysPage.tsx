import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ApiKey, NewApiKey } from "@/api/schema";
import { useAllowance } from "@/api/session";
import { ago, Badge, Button, Card, ConfirmDialog, cx, Failure, Loading, onDay, Row, SecretDialog, SkeletonLines, State, Text } from "@/design";
import { CreateKeyDialog } from "../components/CreateKeyDialog";
import { keysQuery, useKeyChanges } from "../queries";
import s from "../identity.module.css";

export function ApiKeysPage() {
  const keys = useQuery(keysQuery);
  const may = useAllowance("key.manage");
  const [creating, setCreating] = useState(false);
  const [created, setCreated] = useState<NewApiKey | null>(null);
  return (
    <>
      <Card pad={false} label="API keys">
        <header className={s.cardHead}>
          <div>
            <h2>API keys</h2>
            <Text tone="faint" size="s">For programs; a key holds at most what its maker may do. See <a href="/docs">/docs</a></Text>
          </div>
          <Button icon="plus" denied={may.reason} onClick={() => { setCreating(true); }}>Create key</Button>
        </header>
        {keys.isError ? (
          <Failure what="The API keys" error={keys.error} onRetry={() => void keys.refetch()} />
        ) : keys.data === undefined ? (
          <Loading label="Loading the API keys"><div className={s.padded}><SkeletonLines /></div></Loading>
        ) : keys.data.length === 0 ? (
          <State icon="key" title="No keys yet"><p>Create one to reach the API from a program or from the command line.</p></State>
        ) : (
          <ul className={s.rows}>{keys.data.map((key) => <KeyRow key={key.id} apiKey={key} />)}</ul>
        )}
      </Card>
      {creating && <CreateKeyDialog onClose={() => { setCreating(false); }} onCreated={setCreated} />}
      {created && (
        <SecretDialog title={`Key ${created.name}`} label="API key" secret={created.secret} onClose={() => { setCreated(null); }}>
          Only a hash of it is kept. If it is lost, revoke the key and create another.
        </SecretDialog>
      )}
    </>
  );
}

function KeyRow({ apiKey }: { apiKey: ApiKey }) {
  const { revoke } = useKeyChanges();
  const [revoking, setRevoking] = useState(false);
  const state = stateOf(apiKey);
  return (
    <li className={cx(state !== "active" && s.gone)}>
      <div className={s.rowMain}>
        <Row gap={2} wrap>
          <strong>{apiKey.name}</strong>
          <code>{apiKey.prefix}…</code>
          {state !== "active" && <Badge tone="info">{state}</Badge>}
        </Row>
        <Text as="p" tone="faint" size="s">
          Made {onDay(apiKey.created_at)}, {apiKey.last_used_at === null ? "never used" : `used ${ago(apiKey.last_used_at)}`}
          {apiKey.revoked_at !== null ? `, revoked ${onDay(apiKey.revoked_at)}` : apiKey.expires_at !== null && `, ${state === "expired" ? "expired" : "expires"} ${onDay(apiKey.expires_at)}`}
        </Text>
        <Row gap={1} wrap className={s.scopes}>{apiKey.scopes.map((scope) => <Badge key={scope} outline tone="info">{scope}</Badge>)}</Row>
      </div>
      {state === "active" && <Button size="s" tone="danger" onClick={() => { setRevoking(true); }}>Revoke</Button>}
      {revoking && (
        <ConfirmDialog title={`Revoke ${apiKey.name}?`} action="Revoke key" run={() => revoke.mutateAsync(apiKey.id)} onClose={() => { setRevoking(false); }}>
          Programs that use {apiKey.prefix}… are refused from now on. A revoked key cannot be brought back.
        </ConfirmDialog>
      )}
    </li>
  );
}

function stateOf(key: ApiKey): "active" | "revoked" | "expired" {
  if (key.revoked_at !== null) return "revoked";
  return key.expires_at !== null && Date.parse(key.expires_at) < Date.now() ? "expired" : "active";
}

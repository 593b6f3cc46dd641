import { type SyntheticEvent, useState } from "react";
import type { NewApiKey, Permission } from "@/api/schema";
import { useSession } from "@/api/session";
import { Button, Dialog, DialogActions, Field, Input, Notice, Select } from "@/design";
import { useKeyChanges } from "../queries";
import s from "../identity.module.css";

const LIFETIMES = [
  { days: 30, label: "30 days" },
  { days: 90, label: "90 days" },
  { days: 365, label: "One year" },
  { days: 0, label: "No end" },
];
const USUAL: readonly Permission[] = ["ai.analysis.trigger", "ai.output.view", "contract.upload"];

export function CreateKeyDialog({ onClose, onCreated }: { onClose: () => void; onCreated: (key: NewApiKey) => void }) {
  // A session lists its permissions as text, of the same closed set.
  const permissions = useSession().permissions as Permission[];
  const { create } = useKeyChanges();
  const [name, setName] = useState("");
  const [days, setDays] = useState(90);
  const [scopes, setScopes] = useState(() => permissions.filter((permission) => USUAL.includes(permission)));
  const toggle = (scope: Permission) => { setScopes((held) => (held.includes(scope) ? held.filter((each) => each !== scope) : [...held, scope])); };
  function submit(event: SyntheticEvent) {
    event.preventDefault();
    const expires_at = days === 0 ? undefined : new Date(Date.now() + days * 86_400_000).toISOString();
    create.mutate({ name: name.trim(), scopes, expires_at }, {
      onSuccess: (key) => {
        onClose();
        onCreated(key);
      },
    });
  }
  return (
    <Dialog title="Create API key" onClose={onClose} wide>
      <form onSubmit={submit} style={{ display: "contents" }}>
        {create.error && <Notice tone="critical" title="Not created">{create.error.message}</Notice>}
        <Field label="Name" hint="What it is for, so that it can be recognised later">
          <Input required maxLength={120} value={name} onChange={(event) => { setName(event.target.value); }} />
        </Field>
        <Field label="Expires after">
          <LifetimeSelect days={days} onChange={setDays} />
        </Field>
        <fieldset className={s.scopeField}>
          <legend>Scopes</legend>
          {permissions.map((permission) => (
            <label key={permission}>
              <input type="checkbox" checked={scopes.includes(permission)} onChange={() => { toggle(permission); }} />
              <code>{permission}</code>
            </label>
          ))}
        </fieldset>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="primary" busy={create.isPending} denied={scopes.length === 0 ? "Choose at least one scope" : undefined}>Create</Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function LifetimeSelect({ days, onChange, ...rest }: { days: number; onChange: (days: number) => void; id?: string }) {
  return (
    <Select {...rest} value={days} onChange={(event) => { onChange(Number(event.target.value)); }}>
      {LIFETIMES.map((each) => <option key={each.days} value={each.days}>{each.label}</option>)}
    </Select>
  );
}

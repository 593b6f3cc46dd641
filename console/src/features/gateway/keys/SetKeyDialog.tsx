import { type SyntheticEvent, useState } from "react";
import type { ProviderKey } from "@/api/schema";
import { Button, Dialog, DialogActions, Field, Input, Notice, Select, toast } from "@/design";
import { useProviderKeyChanges } from "../queries";
import { providerName, PROVIDERS } from "./providers";

/** Takes a key in, and never shows one: what is typed lives in this dialog until it is sent. */
export function SetKeyDialog({ provider: given, held, onClose }: { provider?: string; held: readonly ProviderKey[]; onClose: () => void }) {
  const { put } = useProviderKeyChanges();
  const [provider, setProvider] = useState(given ?? "openai");
  const [key, setKey] = useState("");
  const replaces = given !== undefined || held.some((each) => each.provider === provider);
  function submit(event: SyntheticEvent) {
    event.preventDefault();
    if (key.trim() === "" || put.isPending) return;
    put.mutate({ provider, key: key.trim() }, {
      onSuccess: (stored) => {
        toast(`The key for ${providerName(provider)} ending in ${stored.last_four} is in use`);
        onClose();
      },
    });
  }
  return (
    <Dialog title={given === undefined ? "Set a provider key" : `Replace the key for ${providerName(given)}`} onClose={onClose}>
      <form onSubmit={submit} style={{ display: "contents" }} autoComplete="off">
        {put.error && <Notice tone="critical" title="Not stored">{put.error.message}</Notice>}
        {given === undefined && (
          <Field label="Provider" hint={replaces ? "There is a key already; it is replaced" : undefined}>
            <ProviderSelect value={provider} onChange={setProvider} />
          </Field>
        )}
        <Field label="Key" hint="It is encrypted and never shown again, but for its last four characters">
          <Input type="password" name="provider-key" autoComplete="new-password" spellCheck={false} required value={key} onChange={(event) => { setKey(event.target.value); }} />
        </Field>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="primary" busy={put.isPending}>{replaces ? "Replace the key" : "Store the key"}</Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function ProviderSelect({ value, onChange, ...rest }: { value: string; onChange: (provider: string) => void; id?: string }) {
  return (
    <Select {...rest} value={value} onChange={(event) => { onChange(event.target.value); }}>
      {Object.entries(PROVIDERS).map(([provider, name]) => <option key={provider} value={provider}>{name}</option>)}
    </Select>
  );
}

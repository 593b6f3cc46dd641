import { useState } from "react";
import { Button, Dialog, DialogActions, Field, Notice, Select } from "@/design";
import { useEndpointChanges } from "./queries";
import type { Endpoint } from "./shapes";

const OVERLAPS = [
  { hours: 24, label: "For a day" },
  { hours: 168, label: "For a week" },
  { hours: 0, label: "Not at all: it has leaked" },
];

export function RotateDialog({ endpoint, onClose, onSecret }: { endpoint: Endpoint; onClose: () => void; onSecret: (secret: string) => void }) {
  const [hours, setHours] = useState(24);
  const { rotate } = useEndpointChanges();
  const send = () => { rotate.mutate({ endpoint: endpoint.id, hours }, { onSuccess: ({ secret }) => { onClose(); onSecret(secret); } }); };
  return (
    <Dialog title="Rotate the signing secret" onClose={onClose}>
      <p>A new secret is made and shown once. Until the overlap is over, every event carries a signature of each, so that the receiver can change over without losing one.</p>
      <Field label="The old secret goes on signing">
        <Select value={hours} onChange={(event) => { setHours(Number(event.target.value)); }}>{OVERLAPS.map((each) => <option key={each.hours} value={each.hours}>{each.label}</option>)}</Select>
      </Field>
      {rotate.error && <Notice tone="critical" title="Not rotated">{rotate.error.message}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="primary" busy={rotate.isPending} onClick={send}>Make a new secret</Button>
      </DialogActions>
    </Dialog>
  );
}

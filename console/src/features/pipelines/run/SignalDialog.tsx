import { useState } from "react";
import { asApiError } from "@/api/problem";
import type { Run } from "@/api/schema";
import { Button, Dialog, DialogActions, Field, Input, JsonField, Notice, toast, useJsonDraft } from "@/design";
import { useRunChanges } from "../runs/queries";

/** Tells the run what a step of it waits for, or will. */
export function SignalDialog({ run, awaited, onClose }: { run: Run; awaited: readonly string[]; onClose: () => void }) {
  const [name, setName] = useState(awaited[0] ?? "");
  const [key] = useState(() => `console-${crypto.randomUUID()}`);
  const draft = useJsonDraft(null);
  const { signal } = useRunChanges(run.id);
  function send() {
    const read = draft.read();
    if (read === null || name.trim() === "") return;
    signal.mutate({ name: name.trim(), payload: read.value, key }, {
      onSuccess: () => { toast(`The run was told: ${name.trim()}`); onClose(); },
      onError: (error) => { draft.refuse(asApiError(error)); },
    });
  }
  return (
    <Dialog title="Signal the run" onClose={onClose} wide>
      <p>{awaited.length > 0 ? `A step waits for ${awaited.join(" and ")}.` : "No step waits for a signal now; one that comes early is kept for the step that will."}</p>
      {name.startsWith("approval:") && <Notice tone="medium">This is the answer to an approval. Decide it under Approvals instead, where it is shown what will be done.</Notice>}
      <Field label="Name of the signal"><Input value={name} spellCheck={false} maxLength={100} onChange={(event) => { setName(event.target.value); }} /></Field>
      <JsonField label="What the step is told, as JSON" draft={draft} refused="Not sent" />
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="primary" icon="send" busy={signal.isPending} denied={name.trim() === "" ? "Name the signal" : undefined} onClick={send}>Send the signal</Button>
      </DialogActions>
    </Dialog>
  );
}

import { useState } from "react";
import { Button, Dialog, DialogActions, Field, Input, Notice, toast } from "@/design";
import { doneInWords } from "../bulk";
import type { RunsView } from "../view";
import { useCancelMany } from "./queries";

export function CancelManyDialog({ view, onClose }: { view: RunsView; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const cancel = useCancelMany();
  const send = () => { cancel.mutate({ view, reason: reason.trim() }, { onSuccess: (bulk) => { toast(doneInWords(bulk, "cancelled")); onClose(); } }); };
  return (
    <Dialog title="Cancel every unfinished run that matches?" onClose={onClose}>
      <p>What runs is stopped, and what was done is undone where a pipeline knows how. Runs that have ended stay as they are.</p>
      <Field label="Reason" hint="Kept with the decision; may be left empty"><Input value={reason} maxLength={500} onChange={(event) => { setReason(event.target.value); }} /></Field>
      {cancel.error && <Notice tone="critical" title="Nothing was cancelled">{cancel.error.message}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Keep them</Button>
        <Button tone="danger" busy={cancel.isPending} onClick={send}>Cancel the runs</Button>
      </DialogActions>
    </Dialog>
  );
}

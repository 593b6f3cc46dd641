import { useState } from "react";
import { Button, Dialog, DialogActions, Field, Notice, Textarea, toast } from "@/design";
import { doneInWords } from "../bulk";
import type { LettersAsked } from "../shapes";
import { useLetterChanges } from "./queries";

interface Props {
  title: string;
  /** One letter, or which of them. */
  letter?: string;
  asked?: LettersAsked;
  onClose: () => void;
}

/** Decides that nothing will be done, for a reason. */
export function DiscardDialog({ title, letter, asked, onClose }: Props) {
  const [reason, setReason] = useState("");
  const { discard, discardMany, restore } = useLetterChanges();
  const busy = discard.isPending || discardMany.isPending;
  const error = discard.error ?? discardMany.error;
  function send() {
    const why = reason.trim();
    if (letter !== undefined) {
      const undo = { label: "Undo", run: () => { restore.mutate(letter); } };
      discard.mutate({ letter, reason: why }, { onSuccess: () => { toast("Discarded", { action: undo }); onClose(); } });
    } else discardMany.mutate({ ...asked, reason: why }, { onSuccess: (bulk) => { toast(doneInWords(bulk, "discarded", "dead letter")); onClose(); } });
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <p>Nothing more is done about it. It stays in the list of what was discarded, and can be taken back there.</p>
      <Field label="Reason" hint="Kept with the decision">
        <Textarea rows={3} maxLength={500} value={reason} onChange={(event) => { setReason(event.target.value); }} />
      </Field>
      {error && <Notice tone="critical" title="Not discarded">{error.message}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="danger" busy={busy} denied={reason.trim() === "" ? "Say why" : undefined} onClick={send}>Discard</Button>
      </DialogActions>
    </Dialog>
  );
}

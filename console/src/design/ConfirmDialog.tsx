import { type ReactNode, useState } from "react";
import { asApiError } from "@/api/problem";
import { Button } from "./Button";
import { Dialog, DialogActions } from "./Dialog";
import { Notice } from "./States";

/** Asks once before what cannot be taken back; stays open with the reason when the server refuses. */
export function ConfirmDialog({ title, action, run, onClose, children }: { title: string; action: string; run: () => Promise<unknown>; onClose: () => void; children: ReactNode }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  async function confirm() {
    setBusy(true);
    try {
      await run();
      onClose();
    } catch (failure) {
      setError(asApiError(failure).message);
      setBusy(false);
    }
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{children}</p>
      {error !== null && <Notice tone="critical">{error}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="danger" busy={busy} onClick={() => void confirm()}>{action}</Button>
      </DialogActions>
    </Dialog>
  );
}

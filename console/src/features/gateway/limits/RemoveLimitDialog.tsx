import type { Limit, StoredPolicy } from "@/api/schema";
import { Button, Dialog, DialogActions, Notice, toast } from "@/design";
import { changed, spoken } from "./limits";
import { usePolicyChange, withFields } from "./useChange";

export function RemoveLimitDialog({ stored, limit, onClose }: { stored: StoredPolicy; limit: Limit; onClose: () => void }) {
  const change = usePolicyChange(stored);
  const done = () => { toast("The limit was removed"); onClose(); };
  const remove = () => {
    const rest = changed(stored.policy.limits ?? [], limit, null);
    if (rest === null) onClose();
    else change.send((policy) => withFields(policy, { limits: rest.length === 0 ? undefined : rest }), done);
  };
  return (
    <Dialog title="Remove this limit?" onClose={onClose}>
      <p>{spoken(limit)}. It no longer holds for any call from the next second on.</p>
      {change.trouble && <Notice tone="critical" title={change.trouble.title}>{change.trouble.text}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="danger" busy={change.busy} onClick={remove}>Remove the limit</Button>
      </DialogActions>
    </Dialog>
  );
}

import type { ProviderKey } from "@/api/schema";
import { Button, Dialog, DialogActions, Notice, toast } from "@/design";
import { useProviderKeyChanges } from "../queries";
import { providerName } from "./providers";

export function DeleteKeyDialog({ stored, onClose }: { stored: ProviderKey; onClose: () => void }) {
  const { remove } = useProviderKeyChanges();
  const name = providerName(stored.provider);
  return (
    <Dialog title={`Delete the key for ${name}?`} onClose={onClose}>
      <p>Calls to {name} go back to the platform’s own key within a second, and are refused where it has none. The key ending in {stored.last_four} cannot be brought back from here.</p>
      {remove.error && <Notice tone="critical" title="Not deleted">{remove.error.message}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="danger" busy={remove.isPending} onClick={() => { remove.mutate(stored.provider, { onSuccess: () => { toast(`The key for ${name} was deleted`); onClose(); } }); }}>Delete the key</Button>
      </DialogActions>
    </Dialog>
  );
}

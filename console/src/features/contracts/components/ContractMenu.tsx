import { useState } from "react";
import type { Contract } from "@/api/schema";
import { useAllowance } from "@/api/session";
import { Button, Dialog, DialogActions, IconButton, Menu, MenuItem, MenuLine, Notice, toast } from "@/design";
import { originalFile, reportFile, useAnalyseAgain, useDeleteContract } from "../queries";

/** What can be done with a contract as a whole. */
export function ContractMenu({ contract, onDeleted }: { contract: Contract; onDeleted?: () => void }) {
  const [deleting, setDeleting] = useState(false);
  const again = useAnalyseAgain();
  const mayAnalyse = useAllowance("ai.analysis.trigger");
  const mayDelete = useAllowance("contract.delete");
  const moving = contract.latest_run?.status === "running" || contract.latest_run?.status === "queued";
  const ready = contract.latest_run?.status === "succeeded";
  return (
    <>
      <Menu trigger={<IconButton icon="more" label={`More for ${contract.name}`} hint="More" />}>
        <MenuItem icon="file" href={originalFile(contract.id)} download>Download the original</MenuItem>
        {ready && <MenuItem icon="download" href={reportFile(contract.id, "docx")} download>Report as Word</MenuItem>}
        {ready && <MenuItem icon="download" href={reportFile(contract.id, "md")} download>Report as Markdown</MenuItem>}
        <MenuItem
          icon="refresh"
          disabled={!mayAnalyse.allowed || moving}
          hint={mayAnalyse.reason ?? (moving ? "It is being analysed now" : undefined)}
          onSelect={() => { again.mutate({ id: contract.id }, { onError: (error) => { toast(error.message, { tone: "critical" }); } }); }}
        >
          Analyse again
        </MenuItem>
        <MenuLine />
        <MenuItem icon="trash" danger disabled={!mayDelete.allowed} hint={mayDelete.reason} onSelect={() => { setDeleting(true); }}>Delete</MenuItem>
      </Menu>
      {deleting && <DeleteDialog contract={contract} onClose={() => { setDeleting(false); }} onDeleted={onDeleted} />}
    </>
  );
}

function DeleteDialog({ contract, onClose, onDeleted }: { contract: Contract; onClose: () => void; onDeleted: (() => void) | undefined }) {
  const remove = useDeleteContract();
  return (
    <Dialog title="Delete this contract?" onClose={onClose}>
      <p><strong>{contract.name}</strong> goes with its text, its report and every decision made on its findings. This cannot be undone.</p>
      {remove.error && <Notice tone="critical" title="It was not deleted">{remove.error.message}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Keep it</Button>
        <Button
          tone="danger"
          icon="trash"
          busy={remove.isPending}
          onClick={() => {
            remove.mutate(contract.id, {
              onSuccess: () => {
                toast(`${contract.name} was deleted`);
                onClose();
                onDeleted?.();
              },
            });
          }}
        >
          Delete for good
        </Button>
      </DialogActions>
    </Dialog>
  );
}

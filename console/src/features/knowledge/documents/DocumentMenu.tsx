import { useState } from "react";
import { useAllowance } from "@/api/session";
import { Button, Dialog, DialogActions, IconButton, Menu, MenuItem, MenuLine, Notice, toast } from "@/design";
import { originalFile, useDocumentChanges } from "../queries";
import type { KnowledgeDocument } from "../shapes";
import { ReadersDialog } from "./ReadersDialog";

/** What can be done with a document as a whole. */
export function DocumentMenu({ document, onDeleted }: { document: KnowledgeDocument; onDeleted?: () => void }) {
  const [asking, setAsking] = useState<"delete" | "readers" | null>(null);
  const { again } = useDocumentChanges();
  const mayEdit = useAllowance("knowledge.edit");
  const mayManage = useAllowance("knowledge.manage");
  const close = () => { setAsking(null); };
  const isMoving = document.status === "pending";
  return (
    <>
      <Menu trigger={<IconButton icon="more" label={`More for ${document.name}`} hint="More" />}>
        {document.readable && <MenuItem icon="download" href={originalFile(document.id)} download>Download the original</MenuItem>}
        <MenuItem icon="people" disabled={!mayManage.allowed} hint={mayManage.reason} onSelect={() => { setAsking("readers"); }}>Who may read it</MenuItem>
        <MenuItem
          icon="refresh"
          disabled={!mayEdit.allowed || isMoving}
          hint={mayEdit.reason ?? (isMoving ? "It is being indexed now" : undefined)}
          onSelect={() => { again.mutate(document.id, { onError: (error) => { toast(error.message, { tone: "critical" }); } }); }}
        >
          Index it again
        </MenuItem>
        <MenuLine />
        <MenuItem icon="trash" danger disabled={!mayEdit.allowed} hint={mayEdit.reason} onSelect={() => { setAsking("delete"); }}>Delete</MenuItem>
      </Menu>
      {asking === "delete" && <DeleteDialog document={document} onClose={close} onDeleted={onDeleted} />}
      {asking === "readers" && <ReadersDialog document={document} onClose={close} />}
    </>
  );
}

function DeleteDialog({ document, onClose, onDeleted }: { document: KnowledgeDocument; onClose: () => void; onDeleted: (() => void) | undefined }) {
  const { remove } = useDocumentChanges();
  const done = () => {
    toast(`${document.name} was deleted`);
    onClose();
    onDeleted?.();
  };
  return (
    <Dialog title={`Delete ${document.name}?`} onClose={onClose}>
      <p>Its text, its passages in every index, its file and kept replies that may quote it go for good. Searches no longer find it from the next one on.</p>
      {document.source === "contracts" && <Notice tone="medium">It is the text of a contract: the contract’s report can no longer show it.</Notice>}
      {remove.error && <Notice tone="critical" title="Not deleted">{remove.error.message}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="danger" busy={remove.isPending} onClick={() => { remove.mutate(document.id, { onSuccess: done }); }}>Delete the document</Button>
      </DialogActions>
    </Dialog>
  );
}

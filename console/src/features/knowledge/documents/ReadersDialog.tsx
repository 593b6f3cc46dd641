import { useState } from "react";
import { useSession } from "@/api/session";
import { Button, Dialog, DialogActions, Notice, toast } from "@/design";
import { useDocumentChanges } from "../queries";
import type { KnowledgeDocument } from "../shapes";
import { ReadersField } from "./ReadersField";

/** Opens a document to everybody, or to some; it holds from the next request on. */
export function ReadersDialog({ document, onClose }: { document: KnowledgeDocument; onClose: () => void }) {
  const session = useSession();
  const { readers: save } = useDocumentChanges();
  const [readers, setReaders] = useState(document.readers);
  const isMine = readers === null || readers.includes(`user:${session.user?.id}`) || readers.includes(`role:${session.role}`);
  const hasTeam = readers?.some((reader) => reader.startsWith("team:")) === true;
  return (
    <Dialog title="Who may read it" onClose={onClose}>
      <p>{document.name}. Searches and this console show its text to nobody else, from the next request on.</p>
      <ReadersField value={readers} onChange={setReaders} />
      {!isMine && <Notice tone="medium">{hasTeam ? "Unless you are in one of these teams, you" : "You"} will see its name only; you can open it again here.</Notice>}
      {save.error && <Notice tone="critical" title="Not saved">{save.error.message}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          tone="primary"
          busy={save.isPending}
          onClick={() => { save.mutate({ id: document.id, readers }, { onSuccess: () => { toast("Saved; it holds from the next request on"); onClose(); } }); }}
        >
          Save
        </Button>
      </DialogActions>
    </Dialog>
  );
}

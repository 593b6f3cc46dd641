import { type ReactNode, useState } from "react";
import { asApiError } from "@/api/problem";
import { Button, Dialog, DialogActions, Field, Input, JsonField, Notice, Select, Textarea, toast, useJsonDraft } from "@/design";
import { refusalOf, useApprovalChanges } from "./queries";
import type { Approval } from "./shapes";

type OnRefusal = (refusal: { title: string; text: string } | null) => void;

interface ReasonProps {
  title: string;
  action: string;
  tone: "primary" | "danger";
  required?: boolean;
  busy: boolean;
  onClose: () => void;
  onSend: (reason: string | null) => void;
  children: ReactNode;
}

export function ReasonDialog({ title, action, tone, required, busy, onClose, onSend, children }: ReasonProps) {
  const [reason, setReason] = useState("");
  const why = reason.trim();
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{children}</p>
      <Field label="Reason" hint={required ? "Kept in its history" : "Kept in its history; may be left empty"}>
        <Textarea rows={3} maxLength={2000} value={reason} onChange={(event) => { setReason(event.target.value); }} />
      </Field>
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone={tone} busy={busy} denied={required && why === "" ? "Say why" : undefined} onClick={() => { onSend(why === "" ? null : why); }}>{action}</Button>
      </DialogActions>
    </Dialog>
  );
}

/** Other arguments than were proposed. Under four eyes an edit is a proposal of its own, for another person. */
export function EditDialog({ approval, onClose, onRefusal }: { approval: Approval; onClose: () => void; onRefusal: OnRefusal }) {
  const draft = useJsonDraft(approval.arguments);
  const [reason, setReason] = useState("");
  const { decide } = useApprovalChanges(approval.id);
  function send() {
    const read = draft.read();
    if (read === null) return;
    decide.mutate({ verdict: "edit", digest: approval.digest, reason: reason.trim() === "" ? null : reason.trim(), edited_arguments: read.value }, {
      onSuccess: (now) => {
        onRefusal(null);
        toast(now.state === "pending" ? "Edited; it waits for another person now" : "Approved with your edit");
        onClose();
      },
      onError: (error) => {
        if (asApiError(error).status === 422) draft.refuse(asApiError(error));
        else {
          onRefusal(refusalOf(error));
          onClose();
        }
      },
    });
  }
  return (
    <Dialog title="Edit, then approve" onClose={onClose} wide>
      {approval.four_eyes ? (
        <Notice tone="medium" title="Your edit will need another person">Under four eyes whoever edited it last may not decide it. It is asked again with your arguments, and somebody else approves or rejects it.</Notice>
      ) : (
        <Notice>It is approved with your arguments at once.</Notice>
      )}
      <p><code>{approval.action}</code> is to be called with</p>
      <JsonField label="The arguments as JSON" rows={8} draft={draft} refused="Not changed" />
      <Field label="Reason" hint="Kept in its history; may be left empty"><Input value={reason} maxLength={2000} onChange={(event) => { setReason(event.target.value); }} /></Field>
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="primary" busy={decide.isPending} denied={draft.isChanged ? undefined : "Nothing was changed"} onClick={send}>{approval.four_eyes ? "Propose the edit" : "Approve with this edit"}</Button>
      </DialogActions>
    </Dialog>
  );
}

const ROLES = ["owner", "admin", "reviewer"];

/** Lets others decide as well; who has it now keeps it. */
export function DelegateDialog({ approval, names, onClose, onRefusal }: { approval: Approval; names: ReadonlyMap<string, string>; onClose: () => void; onRefusal: OnRefusal }) {
  const [to, setTo] = useState("");
  const [reason, setReason] = useState("");
  const { delegate } = useApprovalChanges(approval.id);
  const send = () => {
    delegate.mutate({ to, reason: reason.trim() === "" ? null : reason.trim() }, {
      onSuccess: () => { onRefusal(null); toast("They may decide it as well"); onClose(); },
      onError: (error) => { if (asApiError(error).status === 409) { onRefusal(refusalOf(error)); onClose(); } },
    });
  };
  return (
    <Dialog title="Delegate it" onClose={onClose}>
      <p>Who you name may decide it as well; those who may now, still may. Who began or edited the work may not decide it, whoever names them.</p>
      <Field label="To" hint={names.size === 0 ? "A role, or the id of a person as user:usr_..." : undefined}>
        {names.size === 0 ? (
          <Input value={to} placeholder="user:usr_..." spellCheck={false} onChange={(event) => { setTo(event.target.value.trim()); }} />
        ) : (
          <Select value={to} onChange={(event) => { setTo(event.target.value); }}>
            <option value="">Choose</option>
            <optgroup label="People">{[...names].map(([id, name]) => <option key={id} value={`user:${id}`}>{name}</option>)}</optgroup>
            <optgroup label="Roles">{ROLES.map((role) => <option key={role} value={`role:${role}`}>Every {role}</option>)}</optgroup>
          </Select>
        )}
      </Field>
      <Field label="Reason" hint="Kept in its history; may be left empty"><Input value={reason} maxLength={2000} onChange={(event) => { setReason(event.target.value); }} /></Field>
      {delegate.error && <Notice tone="critical" title="Not delegated">{delegate.error.message}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="primary" busy={delegate.isPending} denied={to === "" ? "Choose who" : undefined} onClick={send}>Delegate</Button>
      </DialogActions>
    </Dialog>
  );
}

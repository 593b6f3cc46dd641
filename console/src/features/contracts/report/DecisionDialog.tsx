import { type SyntheticEvent, useState } from "react";
import { ApiError } from "@/api/problem";
import type { Finding, FindingDecision, Severity } from "@/api/schema";
import { Button, Dialog, DialogActions, Field, Input, Notice, Row, Select, SEVERITIES, SEVERITY_LABEL, Text, Textarea } from "@/design";

const REASONS = ["Acceptable for this deal", "Agreed with the other side", "Found at the wrong place", "Not what the clause says"];

interface Props {
  kind: "dismiss" | "edit";
  finding: Finding;
  onClose: () => void;
  /** Resolves when the server has it; rejects with an ApiError. */
  onDecide: (decision: FindingDecision) => Promise<unknown>;
}

/** Asks for the reason that dismissing and editing need; it is kept as feedback beside the finding. */
export function DecisionDialog({ kind, finding, onClose, onDecide }: Props) {
  const [reason, setReason] = useState(kind === "edit" ? (finding.reason ?? "") : "");
  const [edit, setEdit] = useState<Edit>({ title: finding.title, severity: finding.severity, suggestion: finding.suggestion ?? "" });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [missing, setMissing] = useState(false);

  async function submit(event: SyntheticEvent) {
    event.preventDefault();
    if (reason.trim() === "" || edit.title.trim() === "") {
      setMissing(true);
      return;
    }
    const edited = changes(finding, edit);
    if (kind === "edit" && Object.values(edited).every((part) => part === null)) {
      setError(new ApiError({ status: 0, title: "Nothing was changed", detail: "Change the title, the severity or the wording, or cancel." }));
      return;
    }
    setBusy(true);
    try {
      await onDecide(kind === "dismiss" ? { decision: "dismissed", reason: reason.trim() } : { decision: "edited", reason: reason.trim(), edited });
      onClose();
    } catch (failure) {
      setError(failure instanceof ApiError ? failure : null);
      setBusy(false);
    }
  }

  return (
    <Dialog title={kind === "dismiss" ? "Dismiss finding" : "Edit finding"} onClose={onClose} wide={kind === "edit"}>
      <form onSubmit={(event) => void submit(event)} style={{ display: "contents" }}>
        {kind === "dismiss" && <Text as="p" tone="soft">{finding.title}</Text>}
        {error && <Notice tone="critical" title={error.title}>{error.message}</Notice>}
        {kind === "edit" && <EditFields edit={edit} onEdit={setEdit} missing={missing} />}
        <Field label="Reason" hint="Kept with the finding, for the record and to improve the rules." error={missing && reason.trim() === "" ? "Say why, in a few words." : undefined}>
          <Textarea rows={kind === "dismiss" ? 3 : 2} maxLength={2000} value={reason} onChange={(event) => { setReason(event.target.value); }} />
        </Field>
        {kind === "dismiss" && (
          <Row wrap gap={2}>
            {REASONS.map((each) => <Button key={each} size="s" onClick={() => { setReason(each); }}>{each}</Button>)}
          </Row>
        )}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="primary" busy={busy}>{kind === "dismiss" ? "Dismiss finding" : "Save the edit"}</Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface Edit {
  title: string;
  severity: Severity;
  suggestion: string;
}

/** Only what differs from what was found, now or by an earlier edit, is an edit. */
function changes(finding: Finding, edit: Edit) {
  const title = edit.title.trim();
  const suggestion = edit.suggestion.trim();
  return {
    title: title !== finding.title || finding.edited?.title != null ? title : null,
    severity: edit.severity !== finding.severity || finding.edited?.severity != null ? edit.severity : null,
    suggestion: suggestion !== (finding.suggestion ?? "") || finding.edited?.suggestion != null ? suggestion : null,
  };
}

function EditFields({ edit, onEdit, missing }: { edit: Edit; onEdit: (edit: Edit) => void; missing: boolean }) {
  return (
    <>
      <Field label="Title" error={missing && edit.title.trim() === "" ? "A finding needs a title." : undefined}>
        <Input value={edit.title} maxLength={300} onChange={(event) => { onEdit({ ...edit, title: event.target.value }); }} />
      </Field>
      <Field label="Severity">
        <SeveritySelect value={edit.severity} onChange={(severity) => { onEdit({ ...edit, severity }); }} />
      </Field>
      <Field label="Suggested wording">
        <Textarea rows={5} value={edit.suggestion} onChange={(event) => { onEdit({ ...edit, suggestion: event.target.value }); }} />
      </Field>
    </>
  );
}

function SeveritySelect({ value, onChange, ...rest }: { value: Severity; onChange: (severity: Severity) => void; id?: string }) {
  return (
    <Select {...rest} value={value} onChange={(event) => { onChange(event.target.value as Severity); }}>
      {SEVERITIES.map((severity) => <option key={severity} value={severity}>{SEVERITY_LABEL[severity]}</option>)}
    </Select>
  );
}

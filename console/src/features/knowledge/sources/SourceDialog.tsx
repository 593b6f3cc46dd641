import { type SyntheticEvent, useState } from "react";
import { asApiError } from "@/api/problem";
import { Button, Dialog, DialogActions, Field, Input, Notice, Select, toast } from "@/design";
import { ReadersField } from "../documents/ReadersField";
import type { Source } from "../shapes";
import { commonOf, configOf, EVERY, type Form, formOf, KINDS, type Kind, objections } from "./form";
import { KindFields } from "./KindFields";
import { useSourceChanges } from "./queries";
import s from "./sources.module.css";

/** Sets up a source, or changes one; its kind and its name stay. */
export function SourceDialog({ source, onClose }: { source: Source | null; onClose: () => void }) {
  const { create, change } = useSourceChanges();
  const [form, setForm] = useState(() => formOf(source));
  const [badOptions, setBadOptions] = useState(false);
  const saving = source === null ? create : change;
  const error = saving.error === null ? null : asApiError(saving.error);
  const wrong: Partial<Record<keyof Form, string>> = { ...(error === null ? {} : objections(error)), ...(badOptions ? { options: "This must be a JSON object, such as {}" } : {}) };
  const set = (part: Partial<Form>) => { setForm({ ...form, ...part }); };

  function submit(event: SyntheticEvent) {
    event.preventDefault();
    const config = configOf(form);
    setBadOptions(config === null);
    if (config === null || saving.isPending) return;
    const secret = form.forgetsSecret ? { secret: "" } : form.secret === "" ? {} : { secret: form.secret };
    const onSuccess = () => {
      toast(source === null ? `The source ${form.name} is set up` : `The source ${form.name} was changed`);
      onClose();
    };
    if (source === null) create.mutate({ name: form.name.trim(), config, ...commonOf(form), ...secret }, { onSuccess });
    else change.mutate({ name: source.name, config, ...commonOf(form), ...secret }, { onSuccess });
  }

  return (
    <Dialog title={source === null ? "Add a source" : `Change the source ${source.name}`} onClose={onClose} wide>
      <form onSubmit={submit} className={s.form} autoComplete="off" noValidate>
        {error !== null && Object.keys(wrong).length === 0 && <Notice tone="critical" title="Not saved">{error.message}</Notice>}
        {source === null && <Naming form={form} set={set} error={wrong.name} />}
        <KindFields form={form} set={set} wrong={wrong} />
        <Schedule form={form} set={set} wrong={wrong} />
        {form.kind !== "push" && form.kind !== "prefix" && <SecretField form={form} set={set} held={source?.has_secret === true} error={wrong.secret} />}
        <ReadersField value={form.readers} onChange={(readers) => { set({ readers }); }} />
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="primary" busy={saving.isPending}>{source === null ? "Add the source" : "Save"}</Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface PartProps {
  form: Form;
  set: (part: Partial<Form>) => void;
}

/** What stays once the source is there. */
function Naming({ form, set, error }: PartProps & { error: string | undefined }) {
  return (
    <div className={s.pair}>
      <Field label="Name" hint="Small letters, digits and dashes; documents carry it" error={error}>
        <Input required maxLength={60} spellCheck={false} autoCapitalize="none" value={form.name} onChange={(event) => { set({ name: event.target.value }); }} />
      </Field>
      <Field label="Kind" hint={KINDS.find(({ value }) => value === form.kind)?.hint}>
        <Select value={form.kind} onChange={(event) => { set({ kind: event.target.value as Kind }); }}>
          {KINDS.map(({ value, label }) => <option key={value} value={value}>{label}</option>)}
        </Select>
      </Field>
    </div>
  );
}

function Schedule({ form, set, wrong }: PartProps & { wrong: Partial<Record<keyof Form, string>> }) {
  return (
    <div className={s.pair}>
      <Field label="Document type" hint="Which chunking its documents get; empty: told from each file" error={wrong.documentType}>
        <Input maxLength={40} spellCheck={false} autoCapitalize="none" placeholder="told from each file" value={form.documentType} onChange={(event) => { set({ documentType: event.target.value }); }} />
      </Field>
      {form.kind !== "push" && (
        <Field label="Synchronise" error={wrong.every}>
          <Select value={form.every} onChange={(event) => { set({ every: event.target.value }); }}>
            {EVERY.map(({ seconds, label }) => <option key={seconds} value={seconds}>{label}</option>)}
            {!EVERY.some(({ seconds }) => seconds === form.every) && <option value={form.every}>Every {form.every} seconds</option>}
          </Select>
        </Field>
      )}
    </div>
  );
}

/** Goes in and is never shown. */
function SecretField({ form, set, held, error }: PartProps & { held: boolean; error: string | undefined }) {
  const what = form.kind === "url" ? "Sent as the header Authorization. " : "";
  return (
    <div>
      <Field label="Secret" hint={`${what}${held ? "One is stored; leave this empty to keep it." : "It is sealed and never shown again."}`} error={error}>
        <Input type="password" name="source-secret" autoComplete="new-password" spellCheck={false} disabled={form.forgetsSecret} value={form.secret} onChange={(event) => { set({ secret: event.target.value }); }} />
      </Field>
      {held && (
        <label className={s.check}>
          <input type="checkbox" checked={form.forgetsSecret} onChange={(event) => { set({ forgetsSecret: event.target.checked, secret: "" }); }} />
          Forget the stored secret
        </label>
      )}
    </div>
  );
}

import { type SyntheticEvent, useState } from "react";
import type { Limit, LimitScope, StoredPolicy } from "@/api/schema";
import { Button, Dialog, DialogActions, Field, Input, Notice, Select, toast } from "@/design";
import { changed, MEASURES, ONES, sameLimit } from "./limits";
import { type Form, limitOf, problemsOf, written } from "./typed";
import { usePolicyChange, withFields } from "./useChange";
import l from "./limits.module.css";

/** Adds a limit (`before` null) or changes one. */
export function LimitDialog({ stored, before, onClose }: { stored: StoredPolicy; before: Limit | null; onClose: () => void }) {
  const change = usePolicyChange(stored);
  const [form, setForm] = useState(() => written(before));
  const [checked, setChecked] = useState(false);
  const problems = problemsOf(form);
  const isGone = before !== null && !(stored.policy.limits ?? []).some((limit) => sameLimit(limit, before));
  function submit(event: SyntheticEvent) {
    event.preventDefault();
    setChecked(true);
    if (Object.keys(problems).length > 0 || change.busy) return;
    const limits = changed(stored.policy.limits ?? [], isGone ? null : before, limitOf(form)) ?? [];
    change.send((policy) => withFields(policy, { limits }), () => {
      toast(before === null ? "The limit holds now" : "The limit was changed");
      onClose();
    });
  }
  return (
    <Dialog title={before === null ? "Add a limit" : "Change the limit"} onClose={onClose} wide>
      <form onSubmit={submit} className={l.form} noValidate>
        {change.trouble && <Notice tone="critical" title={change.trouble.title}>{change.trouble.text}</Notice>}
        {isGone && <Notice tone="medium" title="This limit was changed or removed by someone else">Saving adds yours beside what is there now.</Notice>}
        <WhomFields form={form} onChange={setForm} />
        <ValueFields form={form} onChange={setForm} problems={checked ? problems : {}} />
        {checked && problems.form !== undefined && <Notice tone="critical">{problems.form}</Notice>}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="primary" busy={change.busy}>{before === null ? "Add the limit" : "Save the limit"}</Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface Part {
  form: Form;
  onChange: (form: Form) => void;
}

function WhomFields({ form, onChange }: Part) {
  return (
    <div className={l.pair}>
      <Field label="Counted for"><ScopeSelect value={form.scope} onChange={(scope) => { onChange({ ...form, scope }); }} /></Field>
      {form.scope !== "tenant" && (
        <Field label={`Which ${ONES[form.scope].replace(/^[EMF]/, (letter) => letter.toLowerCase())}`} hint={form.scope === "key" ? "The id that the spend by API key shows; empty gives each key its own allowance" : "Empty gives each the same allowance of its own"}>
          <Input value={form.match} placeholder="each" maxLength={200} spellCheck={false} onChange={(event) => { onChange({ ...form, match: event.target.value }); }} />
        </Field>
      )}
    </div>
  );
}

function ValueFields({ form, onChange, problems }: Part & { problems: ReturnType<typeof problemsOf> }) {
  return (
    <div className={l.fields}>
      {MEASURES.map((measure) => (
        <Field key={measure.field} label={measure.isMoney ? `${measure.label}, USD` : measure.label} error={problems[measure.field]}>
          <Input
            inputMode={measure.isMoney ? "decimal" : "numeric"}
            placeholder="no limit"
            autoComplete="off"
            value={form.values[measure.field] ?? ""}
            onChange={(event) => { onChange({ ...form, values: { ...form.values, [measure.field]: event.target.value } }); }}
          />
        </Field>
      ))}
      <Field label="Warn from, %" error={problems.soft}>
        <Input inputMode="numeric" value={form.soft} onChange={(event) => { onChange({ ...form, soft: event.target.value }); }} />
      </Field>
    </div>
  );
}

function ScopeSelect({ value, onChange, ...rest }: { value: LimitScope; onChange: (scope: LimitScope) => void; id?: string }) {
  return (
    <Select {...rest} value={value} onChange={(event) => { onChange(event.target.value as LimitScope); }}>
      {Object.entries(ONES).map(([scope, name]) => <option key={scope} value={scope}>{name}</option>)}
    </Select>
  );
}

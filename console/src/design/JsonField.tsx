import { useId } from "react";
import { JsonEditor } from "./JsonEditor";
import s from "./listing.module.css";
import { Notice } from "./States";
import type { JsonDraft } from "./useJsonDraft";

/** A JSON text in a form, with what is wrong beside its line and in words below. */
export function JsonField({ label, draft, rows = 6, refused }: { label: string; draft: JsonDraft; rows?: number; refused: string }) {
  const trouble = useId();
  return (
    <div>
      <p className={s.label} aria-hidden>{label}</p>
      <div className={s.editor}><JsonEditor label={label} rows={rows} value={draft.text} objections={draft.objections} describedBy={trouble} onChange={draft.edit} /></div>
      <div id={trouble} className={s.trouble}>
        {draft.objections.length > 0 && (
          <Notice tone="critical" title={refused}>{draft.objections.map((each) => <p key={each.message}>{each.line !== null && `Line ${each.line}: `}{each.message}</p>)}</Notice>
        )}
      </div>
    </div>
  );
}

import { useState } from "react";
import { ApiError } from "@/api/problem";
import type { Policy, StoredPolicy } from "@/api/schema";
import { useAllowance } from "@/api/session";
import { ago, Button, Card, Icon, JsonEditor, lineOf, Notice, type Objection, Row, syntaxTrouble, Text, toast } from "@/design";
import { useActor } from "../actor";
import { isStale, useSavePolicy } from "../queries";
import s from "../gateway.module.css";
import l from "./limits.module.css";

/** What is being edited, and over which version: an edit is never moved to a newer version unasked. */
interface Draft {
  text: string;
  version: number;
}

export function WholePolicyCard({ stored }: { stored: StoredPolicy }) {
  const [open, setOpen] = useState(false);
  const actor = useActor(stored.updated_by);
  return (
    <Card pad={false} label="The whole policy">
      <header className={s.cardHead}>
        <div>
          <h2>The whole policy</h2>
          <Text as="p" tone="faint" size="s">{stored.version === 0 ? "Never changed: every default holds" : `Version ${stored.version}${stored.updated_at === null ? "" : `, changed ${ago(stored.updated_at)}`} by ${actor}`}</Text>
        </div>
        <Button aria-expanded={open} onClick={() => { setOpen(!open); }}>{open ? "Close" : "Edit as JSON"} <Icon name={open ? "down" : "right"} size={14} /></Button>
      </header>
      {open && <Editing stored={stored} />}
    </Card>
  );
}

function useDraft(stored: StoredPolicy) {
  const save = useSavePolicy();
  const [draft, setDraft] = useState<Draft | null>(null);
  const [syntax, setSyntax] = useState<Objection[]>([]);
  const text = draft?.text ?? JSON.stringify(stored.policy, null, 2);
  const version = draft?.version ?? stored.version;
  const refusal = save.error instanceof ApiError && !isStale(save.error) ? save.error : null;
  const forget = () => {
    setSyntax([]);
    if (save.error !== null) save.reset();
  };
  return {
    text,
    version,
    isEdited: draft !== null,
    isBehind: version !== stored.version,
    busy: save.isPending,
    objections: syntax.length > 0 ? syntax : refused(refusal, text),
    edit(next: string) {
      setDraft({ text: next, version });
      forget();
    },
    drop() {
      setDraft(null);
      forget();
    },
    store(over: number) {
      const trouble = syntaxTrouble(text);
      setSyntax(trouble === null ? [] : [{ ...trouble, message: `No valid JSON: ${trouble.message}` }]);
      if (trouble !== null) return;
      save.mutate({ policy: JSON.parse(text) as Policy, version: over }, {
        onSuccess: (saved) => { setDraft(null); toast(`Version ${saved.version} of the policy holds`); },
      });
    },
  };
}

function Editing({ stored }: { stored: StoredPolicy }) {
  const may = useAllowance("gateway.manage");
  const draft = useDraft(stored);
  const actor = useActor(stored.updated_by);
  const idle = draft.isBehind ? "Choose above what becomes of your edits" : draft.isEdited ? undefined : "Nothing was changed";
  return (
    <>
      {draft.isBehind && (
        <div className={s.padded}>
          <Notice tone="critical" title={`The policy was changed meanwhile: version ${stored.version} by ${actor}`}>
            <p>You began with version {draft.version}. Nothing of yours was stored.</p>
            <Row gap={2} wrap className={l.choices}>
              <Button size="s" onClick={draft.drop}>Drop my edits and show version {stored.version}</Button>
              <Button size="s" tone="danger" busy={draft.busy} onClick={() => { draft.store(stored.version); }}>Put mine in its place</Button>
            </Row>
          </Notice>
        </div>
      )}
      {draft.objections.length > 0 && (
        <div className={s.padded} id="policy-objections">
          <Notice tone="critical" title="Not saved">
            {draft.objections.map((each) => <p key={each.message}>{each.line !== null && <strong className={l.lineName}>Line {each.line}</strong>} {each.message}</p>)}
          </Notice>
        </div>
      )}
      <JsonEditor label="The policy as JSON" describedBy="policy-objections" value={draft.text} readOnly={!may.allowed} objections={draft.objections} onChange={draft.edit} />
      <footer className={s.foot}>
        <Text tone="faint" size="s">Fields that are absent have their defaults; <a href="/docs">/docs</a> has them all.</Text>
        <Row gap={2}>
          {draft.isEdited && <Button onClick={draft.drop}>Discard</Button>}
          <Button tone="primary" busy={draft.busy} denied={may.reason ?? idle} onClick={() => { draft.store(draft.version); }}>Save the policy</Button>
        </Row>
      </footer>
    </>
  );
}

/** What the server objects to, each at its line; what names no place stands above the text. */
function refused(refusal: ApiError | null, text: string): Objection[] {
  if (refusal === null) return [];
  if (refusal.fields.length === 0) return [{ line: null, message: refusal.message }];
  return refusal.fields.map(({ field, message }) => ({ line: lineOf(text, field), message }));
}

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asApiError } from "@/api/problem";
import { atTime, Button, Dialog, DialogActions, Field, Input, JsonField, Notice, Select, Text, toast, useJsonDraft } from "@/design";
import { pipelinesQuery } from "../runs/queries";
import type { Schedule } from "../shapes";
import { previewQuery, useScheduleChanges } from "./queries";
import s from "./operations.module.css";

const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

interface Terms {
  name: string;
  pipeline: string;
  cron: string;
  timezone: string;
}
const NEW: Terms = { name: "", pipeline: "", cron: "0 6 * * 1-5", timezone: OWN_ZONE };

/** A new schedule, or another shape for one that is there. */
export function ScheduleDialog({ schedule, onClose }: { schedule: Schedule | null; onClose: () => void }) {
  const [terms, setTerms] = useState<Terms>(schedule ?? NEW);
  const draft = useJsonDraft(schedule?.input ?? {});
  const { create, change } = useScheduleChanges();
  const missing = terms.name.trim() === "" ? "Give it a name" : terms.pipeline === "" ? "Choose a pipeline" : undefined;
  const name = terms.name.trim();
  function send() {
    const read = draft.read();
    if (read === null) return;
    const body = { pipeline: terms.pipeline, input: read.value as null, cron: terms.cron.trim(), timezone: terms.timezone.trim() };
    const ways = { onSuccess: () => { toast(schedule === null ? `${name} is scheduled` : `${name} was changed`); onClose(); }, onError: (refused: Error) => { draft.refuse(asApiError(refused)); } };
    if (schedule === null) create.mutate({ name, is_paused: false, ...body }, ways);
    else change.mutate({ id: schedule.id, ...body }, ways);
  }
  return (
    <Dialog title={schedule === null ? "Add a schedule" : `Change ${schedule.name}`} onClose={onClose} wide>
      <TermFields terms={terms} fixed={schedule} onTerms={setTerms} />
      <Upcoming cron={terms.cron.trim()} timezone={terms.timezone.trim()} />
      <JsonField label="The input as JSON" rows={5} draft={draft} refused="Not saved" />
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="primary" busy={create.isPending || change.isPending} denied={missing} onClick={send}>{schedule === null ? "Add the schedule" : "Save"}</Button>
      </DialogActions>
    </Dialog>
  );
}

function TermFields({ terms, fixed, onTerms }: { terms: Terms; fixed: Schedule | null; onTerms: (terms: Terms) => void }) {
  const pipelines = useQuery(pipelinesQuery);
  const startable = [...new Set((pipelines.data ?? []).filter(({ can_start }) => can_start).map((each) => each.name))];
  const names = fixed === null || startable.includes(fixed.pipeline) ? startable : [fixed.pipeline, ...startable];
  return (
    <div className={s.pair}>
      <Field label="Name"><Input value={terms.name} maxLength={100} disabled={fixed !== null} onChange={(event) => { onTerms({ ...terms, name: event.target.value }); }} /></Field>
      <Field label="Pipeline" hint={pipelines.data !== undefined && names.length === 0 ? "No pipeline here may be started by callers" : undefined}>
        <Select value={terms.pipeline} onChange={(event) => { onTerms({ ...terms, pipeline: event.target.value }); }}>
          <option value="">Choose one</option>
          {names.map((each) => <option key={each} value={each}>{each}</option>)}
        </Select>
      </Field>
      <Field label="Cron line" hint="Minute, hour, day of month, month, day of week"><Input className={s.mono} spellCheck={false} value={terms.cron} onChange={(event) => { onTerms({ ...terms, cron: event.target.value }); }} /></Field>
      <Field label="Timezone"><Input spellCheck={false} value={terms.timezone} onChange={(event) => { onTerms({ ...terms, timezone: event.target.value }); }} /></Field>
    </div>
  );
}

/** What a cron line means, as the server reads it. */
function Upcoming({ cron, timezone }: { cron: string; timezone: string }) {
  const preview = useQuery({ ...previewQuery(cron, timezone), enabled: cron !== "" && timezone !== "" });
  if (preview.isError) return <Notice tone="medium" title="That never comes">{preview.error.message}</Notice>;
  if (preview.data === undefined) return <Text tone="faint" size="s">Reading the cron line ...</Text>;
  return (
    <div className={s.upcoming} aria-label="Next firings" role="group">
      <strong>{preview.data.cron_text}</strong>
      <ol>{preview.data.upcoming.map((each) => <li key={each}><time dateTime={each}>{atTime(each)}</time></li>)}</ol>
      <Text tone="faint" size="s">Shown on your clock</Text>
    </div>
  );
}

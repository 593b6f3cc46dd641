import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asApiError } from "@/api/problem";
import type { Run } from "@/api/schema";
import { Button, Dialog, DialogActions, Field, JsonField, JsonView, Notice, Segments, Select, toast, useJsonDraft } from "@/design";
import { pipelinesQuery, useRunChanges } from "../runs/queries";
import type { PipelineVersion } from "../shapes";
import { stepQuery } from "./queries";

interface Props {
  run: Run;
  onClose: () => void;
  onReplayed: (runId: string) => void;
}

/** Runs it again from the beginning, with its own input or another, in its version or another. */
export function ReplayDialog({ run, onClose, onReplayed }: Props) {
  const pipelines = useQuery(pipelinesQuery);
  const versions = (pipelines.data ?? []).filter(({ name }) => name === run.pipeline);
  const first = versions.find(({ version }) => version === run.version)?.steps.find(({ after }) => after.length === 0)?.name ?? run.steps[0]?.name;
  const given = useQuery({ ...stepQuery(run.id, first ?? "", null), enabled: first !== undefined });
  if (pipelines.isPending || (first !== undefined && given.isPending)) return <Dialog title="Replay the run" onClose={onClose} wide><p>Reading its input ...</p></Dialog>;
  return <Asking run={run} versions={versions} input={given.data?.input?.is_cut === false ? submittedOf(given.data.input.value) : null} onClose={onClose} onReplayed={onReplayed} />;
}

/** A step that failed keeps the run's input beside the outputs that it was given. */
function submittedOf(input: unknown): unknown {
  const isBoth = typeof input === "object" && input !== null && "submitted" in input && "earlier" in input;
  return isBoth ? input.submitted : input;
}

function Asking({ run, versions, input, onClose, onReplayed }: Props & { versions: PipelineVersion[]; input: unknown }) {
  const [version, setVersion] = useState(run.version);
  const [choice, setChoice] = useState<"same" | "other">("same");
  const [key] = useState(() => crypto.randomUUID());
  const draft = useJsonDraft(input);
  const { replay } = useRunChanges(run.id);
  const shape = versions.find((each) => each.version === version);
  function send() {
    const read = choice === "same" ? undefined : draft.read();
    if (read === null) return;
    replay.mutate({ ...(read === undefined ? {} : { input: read.value }), ...(version === run.version ? {} : { version }), key: `${key}-${draft.text.length}` }, {
      onSuccess: (next) => { toast("It runs again, as a new run"); onReplayed(next.id); },
      onError: (error) => { if (choice === "other") draft.refuse(asApiError(error)); },
    });
  }
  return (
    <Dialog title="Replay the run" onClose={onClose} wide>
      <p>A new run from the beginning: every step is done again, with its effects. To go on from where it failed, retry it instead.</p>
      {versions.length > 1 && (
        <Field label="Version">
          <Select value={version} onChange={(event) => { setVersion(Number(event.target.value)); }}>
            {versions.map((each) => <option key={each.version} value={each.version}>{each.version}{each.version === run.version ? ", as before" : ""}</option>)}
          </Select>
        </Field>
      )}
      <Segments label="Input" value={choice} onChange={setChoice} options={[{ value: "same", label: "With its own input" }, { value: "other", label: "With another input" }]} />
      {choice === "other" && (
        <>
          {shape?.can_start === false && <Notice tone="medium" title="Only the platform starts this pipeline">Another input will be refused: replay it with its own.</Notice>}
          <JsonField label="The input as JSON" rows={8} draft={draft} refused="Not replayed" />
          {shape?.input_schema != null && <details><summary>What fits</summary><JsonView label="JSON Schema of the input" value={shape.input_schema} /></details>}
        </>
      )}
      {replay.error && choice === "same" && <Notice tone="critical" title="Not replayed">{replay.error.message}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="primary" icon="play" busy={replay.isPending} onClick={send}>Replay</Button>
      </DialogActions>
    </Dialog>
  );
}

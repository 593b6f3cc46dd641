import { type SyntheticEvent, useState } from "react";
import { type ApiError, asApiError } from "@/api/problem";
import { useAllowance } from "@/api/session";
import { Button, Card, Field, Input, Notice, Row, Text, toast } from "@/design";
import { BuildButton } from "../indexes/BuildButton";
import type { CurrentSettings } from "../shapes";
import type { Viewed } from "../view";
import { ChunkingFields } from "./ChunkingFields";
import { flatten, isSame, objections, type Places, rebase, valueOf } from "./form";
import { PreviewCard } from "./PreviewCard";
import { isStale, useSaveSettings } from "./queries";
import { RetrievalFields } from "./RetrievalFields";
import s from "./settings.module.css";

/** Once the objections stand at their fields. */
function focusFirstWrong(): void {
  setTimeout(() => document.querySelector<HTMLElement>("[aria-invalid=true]")?.focus(), 50);
}

/** What is typed lives here until it is saved; the preview tries it before. When somebody was faster, it is laid over theirs. */
export function SettingsForm({ current, view, onView }: Viewed & { current: CurrentSettings }) {
  const may = useAllowance("knowledge.manage");
  const save = useSaveSettings();
  const stored = flatten(current.value);
  const [base, setBase] = useState({ version: current.version, places: stored });
  const [places, setPlaces] = useState<Places>(stored);
  const [note, setNote] = useState("");
  if (base.version !== current.version) {
    setBase({ version: current.version, places: stored });
    setPlaces(rebase(places, base.places, stored));
  }
  const error = save.error === null || isStale(save.error) ? null : asApiError(save.error);
  const wrong = objections(error, places);
  const isChanged = !isSame(places, stored);
  const form = { places, wrong: wrong.at, fixed: !may.allowed, onChange: setPlaces };

  function submit(event: SyntheticEvent) {
    event.preventDefault();
    if (!isChanged || !may.allowed || save.isPending) return;
    const body = { value: valueOf(places), base_version: current.version, note: note.trim() === "" ? null : note.trim() };
    save.mutate(body, {
      onError: focusFirstWrong,
      onSuccess: (saved) => {
        setNote("");
        toast(saved.needs_rebuild ? `Saved as version ${saved.version}; passages follow with the next index` : `Saved as version ${saved.version}; searches follow at once`);
      },
    });
  }

  return (
    <>
      {current.needs_rebuild && (
        <Notice tone="medium" title="The index that is searched was made by other settings" action={<BuildButton />}>
          Other chunks or another model need a new index. It is built beside the present one; searches go on meanwhile.
        </Notice>
      )}
      {isStale(save.error) && <Notice tone="critical" title="Not saved: somebody saved other settings meanwhile">Version {current.version} is shown now, with your change over it. Look at both, then save again.</Notice>}
      <form onSubmit={submit} noValidate>
        <Card pad={false} label="Settings">
          <ChunkingFields {...form} />
          <RetrievalFields {...form} />
          {error !== null && <Refusal error={error} rest={wrong.rest} />}
          {may.allowed && (
            <footer className={s.foot}>
              {isChanged ? (
                <Field label="Why, for those who look later"><Input maxLength={500} value={note} onChange={(event) => { setNote(event.target.value); }} /></Field>
              ) : (
                <Text tone="faint" size="s">{current.version === 0 ? "These are the defaults" : `Version ${current.version}, as it is stored`}</Text>
              )}
              <Row gap={2}>
                {isChanged && <Button onClick={() => { setPlaces(stored); save.reset(); }}>Discard</Button>}
                <Button type="submit" tone="primary" busy={save.isPending} denied={isChanged ? undefined : "Nothing was changed"}>Save the settings</Button>
              </Row>
            </footer>
          )}
        </Card>
      </form>
      {may.allowed && <PreviewCard places={places} isChanged={isChanged} view={view} onView={onView} />}
    </>
  );
}

function Refusal({ error, rest }: { error: ApiError; rest: readonly string[] }) {
  const atFields = error.fields.length > 0 ? "The fields say what is wrong with them." : error.message;
  return (
    <div className={s.padded}>
      <Notice tone="critical" title="Not saved">{rest.length > 0 ? <ul>{rest.map((text) => <li key={text}>{text}</li>)}</ul> : atFields}</Notice>
    </div>
  );
}

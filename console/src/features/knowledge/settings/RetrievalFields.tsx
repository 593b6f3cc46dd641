import { Badge, Field, Input, Segments, Text } from "@/design";
import type { FieldsProps } from "./ChunkingFields";
import { NUMBERS, WEIGHTS } from "./form";
import s from "./settings.module.css";

const MODEL_USES = [
  { place: "retrieval.rerank", label: "A model sorts the passages" },
  { place: "retrieval.rewrite", label: "A model rewords the question" },
];

/** How searches rank and what they return, and how the index is made. */
export function RetrievalFields({ places, wrong, fixed, onChange }: FieldsProps) {
  const field = (place: string, label: string, hint?: string) => (
    <Field key={place} label={label} hint={hint} error={wrong[place]}>
      <Input name={place} readOnly={fixed} inputMode={place === "embedding_model" ? undefined : "decimal"} spellCheck={false} value={places[place] ?? ""} onChange={(event) => { onChange({ ...places, [place]: event.target.value }); }} />
    </Field>
  );
  return (
    <>
      <section aria-label="Retrieval">
        <header className={s.head}>
          <h2>Retrieval</h2>
          <Text as="p" tone="faint" size="s">How searches rank and what they return; it holds from the next search on</Text>
        </header>
        <div className={s.grid}>{NUMBERS.map(({ place, label, hint }) => field(place, label, hint))}</div>
        <fieldset className={s.weights}>
          <legend>How much each ranked list counts, 0 to 10</legend>
          <div className={s.grid}>{WEIGHTS.map(({ place, label }) => field(place, label))}</div>
        </fieldset>
        <div className={s.uses}>
          {MODEL_USES.map(({ place, label }) => (
            <div key={place}>
              <Text size="s">{label}</Text>
              {fixed ? <Badge outline>{places[place] === "model" ? "On" : "Off"}</Badge> : (
                <Segments label={label} value={places[place] ?? "off"} onChange={(value) => { onChange({ ...places, [place]: value }); }} options={[{ value: "off", label: "Off" }, { value: "model", label: "On" }]} />
              )}
            </div>
          ))}
        </div>
      </section>
      <section aria-label="Index">
        <header className={s.head}>
          <h2>Index</h2>
          <Text as="p" tone="faint" size="s">Another model needs a new index</Text>
        </header>
        <div className={s.grid}>
          {field("embedding_model", "Embedding model", "As the AI gateway names it")}
          {field("reindex_chunks_per_minute", "Chunks a minute", "How fast a new index is filled")}
        </div>
      </section>
    </>
  );
}

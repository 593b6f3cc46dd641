import { useState } from "react";
import { Button, Field, IconButton, Input, Select, Text, words } from "@/design";
import { type Chunker, CHUNKERS, DEFAULT_TYPES, type Places, typesOf, withChunker, withoutType } from "./form";
import s from "./settings.module.css";

export interface FieldsProps {
  places: Places;
  /** What the server objects to, by place. */
  wrong: Record<string, string>;
  fixed: boolean;
  onChange: (places: Places) => void;
}

/** How each type of document is cut into passages. */
export function ChunkingFields({ places, wrong, fixed, onChange }: FieldsProps) {
  const [name, setName] = useState("");
  const types = typesOf(places);
  const isName = /^[a-z][a-z0-9_-]{0,39}$/.test(name) && !types.includes(name);
  const add = () => {
    onChange(withChunker(places, name, "section"));
    setName("");
  };
  return (
    <section aria-label="Chunking">
      <header className={s.head}>
        <h2>Chunking</h2>
        <Text as="p" tone="faint" size="s">How documents of each type are cut into the passages that are found. Types that are not named are cut as text</Text>
      </header>
      <ul className={s.types}>
        {types.map((type) => {
          const chunker = places[`chunking.${type}.chunker`] as Chunker;
          const objection = wrong[`chunking.${type}.chunker`];
          return (
            <li key={type}>
              <strong>{words(type)}</strong>
              <div className={s.sizes}>
                <Field label="Cut" error={objection}>
                  <ChunkerSelect value={chunker} type={type} fixed={fixed} onChange={(next) => { onChange(withChunker(places, type, next)); }} />
                </Field>
                {Object.entries(CHUNKERS[chunker].sizes).map(([size, { label }]) => {
                  const place = `chunking.${type}.${size}`;
                  return (
                    <Field key={size} label={label} error={wrong[place]}>
                      <Input name={place} aria-label={`${words(type)}: ${label}`} inputMode="numeric" readOnly={fixed} value={places[place] ?? ""} onChange={(event) => { onChange({ ...places, [place]: event.target.value }); }} />
                    </Field>
                  );
                })}
              </div>
              {!fixed && !DEFAULT_TYPES.includes(type) && <IconButton icon="trash" size="s" label={`Remove the type ${type}`} onClick={() => { onChange(withoutType(places, type)); }} />}
            </li>
          );
        })}
      </ul>
      {!fixed && (
        <div className={s.add}>
          <Input aria-label="Another document type" placeholder="another type, such as manual" maxLength={40} spellCheck={false} autoCapitalize="none" value={name} onChange={(event) => { setName(event.target.value); }} />
          <Button icon="plus" denied={isName ? undefined : "A new name: a small letter, then small letters, digits, - or _"} onClick={add}>Add the type</Button>
        </div>
      )}
    </section>
  );
}

function ChunkerSelect({ value, type, fixed, onChange, ...rest }: { value: Chunker; type: string; fixed: boolean; onChange: (chunker: Chunker) => void; id?: string }) {
  return (
    <Select {...rest} aria-label={`${words(type)}: cut`} disabled={fixed} value={value} onChange={(event) => { onChange(event.target.value as Chunker); }}>
      {Object.entries(CHUNKERS).map(([chunker, { label }]) => <option key={chunker} value={chunker}>{label}</option>)}
    </Select>
  );
}

import { Segments, Select } from "@/design";
import { type Subject, unnamed, useSubjects } from "../readers";
import s from "./documents.module.css";

/** Everybody (null), or the subjects that were chosen. */
export function ReadersField({ value, onChange }: { value: string[] | null; onChange: (readers: string[] | null) => void }) {
  const { roles, teams, people } = useSubjects();
  const chosen = value ?? [];
  const toggle = (id: string) => { onChange(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]); };
  const shownPeople = people.filter(({ id }) => chosen.includes(id));
  const known = new Set([...roles, ...teams, ...people].map(({ id }) => id));
  const others = chosen.filter((id) => !known.has(id)).map((id) => ({ id, name: unnamed(id) }));
  return (
    <fieldset className={s.readers}>
      <legend>Readers</legend>
      <Segments
        label="Readers"
        value={value === null ? "everybody" : "some"}
        onChange={(who) => { onChange(who === "everybody" ? null : chosen); }}
        options={[{ value: "everybody", label: "Everybody" }, { value: "some", label: "Only some" }]}
      />
      {value !== null && (
        <>
          <Choices name="Roles" subjects={roles} chosen={chosen} onToggle={toggle} />
          <Choices name="Teams" subjects={teams} chosen={chosen} onToggle={toggle} empty="There are no teams yet." />
          <Choices name="People and keys" subjects={[...shownPeople, ...others]} chosen={chosen} onToggle={toggle} />
          {people.length > shownPeople.length && (
            <Select aria-label="Add a person" value="" onChange={(event) => { toggle(event.target.value); }}>
              <option value="">Add a person</option>
              {people.filter(({ id }) => !chosen.includes(id)).map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
            </Select>
          )}
          {chosen.length === 0 && <p className={s.advice}>Nobody is chosen: nobody could read it.</p>}
        </>
      )}
    </fieldset>
  );
}

function Choices({ name, subjects, chosen, onToggle, empty }: { name: string; subjects: Subject[]; chosen: readonly string[]; onToggle: (id: string) => void; empty?: string }) {
  if (subjects.length === 0) return empty === undefined ? null : <p className={s.advice}>{empty}</p>;
  return (
    <div role="group" aria-label={name} className={s.choices}>
      <span>{name}</span>
      {subjects.map((subject) => (
        <label key={subject.id}>
          <input type="checkbox" checked={chosen.includes(subject.id)} onChange={() => { onToggle(subject.id); }} />
          {subject.name}
        </label>
      ))}
    </div>
  );
}

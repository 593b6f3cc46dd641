import { Field, Input, Textarea } from "@/design";
import type { Form } from "./form";
import s from "./sources.module.css";

interface Props {
  form: Form;
  set: (part: Partial<Form>) => void;
  wrong: Partial<Record<keyof Form, string>>;
}

/** What only one kind of source has. */
export function KindFields({ form, set, wrong }: Props) {
  switch (form.kind) {
    case "push":
      return <p className={s.note}>Documents come by <code>PUT /v1/knowledge/sources/{form.name === "" ? "{name}" : form.name}/documents/&#123;external id&#125;</code> with a key that holds knowledge.edit. The same bytes again change nothing.</p>;
    case "url":
      return (
        <>
          <Field label="Pages" hint="One address a line" error={wrong.urls}>
            <Textarea rows={3} spellCheck={false} autoCapitalize="none" value={form.urls} onChange={(event) => { set({ urls: event.target.value }); }} />
          </Field>
          <div className={s.pair}>
            <Field label="Sitemap" hint="Its pages of the same host" error={wrong.sitemap}>
              <Input type="url" spellCheck={false} value={form.sitemap} onChange={(event) => { set({ sitemap: event.target.value }); }} />
            </Field>
            <Field label="Pages at most" error={wrong.maxPages}>
              <Input inputMode="numeric" value={form.maxPages} onChange={(event) => { set({ maxPages: event.target.value }); }} />
            </Field>
          </div>
          <label className={s.check}>
            <input type="checkbox" checked={form.followsLinks} onChange={(event) => { set({ followsLinks: event.target.checked }); }} />
            Also pages of the same host that they link to
          </label>
        </>
      );
    case "prefix":
      return (
        <Field label="Place" hint="Such as s3://bucket/folder/; empty: inbox/ and the source’s name in your own area" error={wrong.prefix}>
          <Input spellCheck={false} autoCapitalize="none" value={form.prefix} onChange={(event) => { set({ prefix: event.target.value }); }} />
        </Field>
      );
    case "connector":
      return (
        <>
          <Field label="Connector" hint="Its name as it is installed" error={wrong.connector}>
            <Input spellCheck={false} autoCapitalize="none" maxLength={60} value={form.connector} onChange={(event) => { set({ connector: event.target.value }); }} />
          </Field>
          <Field label="Options" hint="A JSON object; the connector says which it takes" error={wrong.options}>
            <Textarea rows={4} spellCheck={false} value={form.options} onChange={(event) => { set({ options: event.target.value }); }} />
          </Field>
        </>
      );
  }
}

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, type SyntheticEvent, useState } from "react";
import { Button, Card, Failure, Icon, Input, Loading, Page, PageHead, Select, SkeletonLines, State } from "@/design";
import { settingsQuery } from "../settings/queries";
import { sourcesQuery } from "../sources/queries";
import type { SearchView } from "../view";
import { BUILT_IN } from "../words";
import { Answer } from "./Answer";
import { answerQuery } from "./queries";
import s from "./search.module.css";

interface Props {
  view: SearchView;
  /** A new question is a new entry in the browser's history; a filter is not. */
  onView: (change: SearchView, isNew: boolean) => void;
}

export function SearchPage({ view, onView }: Props) {
  const answer = useQuery(answerQuery(view));
  return (
    <Page>
      <PageHead title="Search" lead="Passages from all documents that are open to you, by meaning and by words" />
      <SearchForm key={view.q ?? ""} view={view} busy={answer.isFetching} onAsk={(q) => { onView({ q }, true); }} />
      <Filters view={view} onFilter={(change) => { onView(change, false); }} />
      <Outcome view={view} answer={answer} onClear={() => { onView({ source: undefined, type: undefined, label: undefined }, false); }} />
    </Page>
  );
}

function Outcome({ view, answer, onClear }: { view: SearchView; answer: ReturnType<typeof useQuery<Parameters<typeof Answer>[0]["answer"]>>; onClear: () => void }): ReactNode {
  if (view.q === undefined) {
    return (
      <Card>
        <State icon="search" title="What are you looking for?">
          <p>Ask in a sentence, name an identifier such as ISO-27001, or put “a phrase” in quotes. Every hit opens at its place in the document.</p>
        </State>
      </Card>
    );
  }
  if (answer.isError) return <Card><Failure what="The search" error={answer.error} onRetry={() => void answer.refetch()} /></Card>;
  if (answer.data === undefined) return <Loading label="Searching"><Card><SkeletonLines count={9} /></Card></Loading>;
  const isFiltered = view.source !== undefined || view.type !== undefined || view.label !== undefined;
  return <Answer answer={answer.data} stale={answer.isPlaceholderData} onClear={isFiltered ? onClear : undefined} />;
}

function SearchForm({ view, busy, onAsk }: { view: SearchView; busy: boolean; onAsk: (q: string | undefined) => void }) {
  const [words, setWords] = useState(view.q ?? "");
  function submit(event: SyntheticEvent) {
    event.preventDefault();
    onAsk(words.trim() === "" ? undefined : words.trim());
  }
  return (
    <form role="search" className={s.form} onSubmit={submit}>
      <span>
        <Icon name="search" size={17} />
        <Input id="search" type="search" aria-label="Search all documents" aria-keyshortcuts="/" placeholder="Who pays for delays?" maxLength={2000} value={words} onChange={(event) => { setWords(event.target.value); }} />
      </span>
      <Button type="submit" tone="primary" busy={busy && view.q !== undefined}>Search</Button>
    </form>
  );
}

function Filters({ view, onFilter }: { view: SearchView; onFilter: (change: SearchView) => void }) {
  const sources = useQuery(sourcesQuery);
  const settings = useQuery(settingsQuery);
  const [label, setLabel] = useState(view.label ?? "");
  const names = all(BUILT_IN, sources.data?.map(({ name }) => name), view.source);
  const types = all([], Object.keys(settings.data?.value.chunking ?? {}), view.type);
  const givenLabel = () => { onFilter({ label: label.trim() === "" ? undefined : label.trim() }); };
  return (
    <div className={s.filters} role="group" aria-label="Filters">
      <Select aria-label="Source" value={view.source ?? ""} onChange={(event) => { onFilter({ source: event.target.value || undefined }); }}>
        <option value="">All sources</option>
        {names.map((name) => <option key={name} value={name}>{name}</option>)}
      </Select>
      <Select aria-label="Document type" value={view.type ?? ""} onChange={(event) => { onFilter({ type: event.target.value || undefined }); }}>
        <option value="">All document types</option>
        {types.map((name) => <option key={name} value={name}>{name}</option>)}
      </Select>
      <Input
        aria-label="Label"
        placeholder="Any label, such as Governing Law"
        spellCheck={false}
        autoCapitalize="none"
        value={label}
        onChange={(event) => { setLabel(event.target.value); }}
        onBlur={givenLabel}
        onKeyDown={(event) => { if (event.key === "Enter") givenLabel(); }}
      />
    </div>
  );
}

function all(first: readonly string[], more: readonly string[] | undefined, chosen: string | undefined): string[] {
  return [...new Set([...first, ...(more ?? []), ...(chosen === undefined ? [] : [chosen])])];
}

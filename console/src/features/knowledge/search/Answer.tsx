import { Button, Card, count, Notice, State, words } from "@/design";
import type { Answer as AnswerData } from "../shapes";
import { Hit } from "./Hit";
import s from "./search.module.css";

/** Passages, best first, or why there are none; and what was searched. */
export function Answer({ answer, stale, onClear }: { answer: AnswerData; stale: boolean; onClear: (() => void) | undefined }) {
  const { passages, notes } = answer;
  return (
    <div className={s.answer} aria-busy={stale || undefined} data-stale={stale || undefined}>
      <Searched searched={answer.searched} found={passages.length} />
      {notes.map((note) => <Notice key={note}>{note}</Notice>)}
      {passages.length === 0 ? (
        <Card><Nothing reason={answer.reason} onClear={onClear} /></Card>
      ) : (
        <ol className={s.hits} aria-label="Passages">
          {passages.map((passage) => <Hit key={`${passage.document.id}-${passage.citation.start}`} passage={passage} />)}
        </ol>
      )}
    </div>
  );
}

function Searched({ searched, found }: { searched: AnswerData["searched"]; found: number }) {
  const took = Object.values(searched.timings).reduce((most, milliseconds) => Math.max(most, milliseconds), 0);
  const details = [
    searched.terms.length > 0 && `Words: ${searched.terms.join(", ")}`,
    searched.exact.length > 0 && `Exactly: ${searched.exact.join(", ")}`,
    searched.concepts.length > 0 && `Labels it names: ${searched.concepts.map(words).join(", ")}`,
    searched.rewritten !== null && `Reworded as: ${searched.rewritten}`,
    searched.model !== null && `Model: ${searched.model}`,
    searched.index !== null && `Index ${searched.index}`,
  ].filter((detail) => detail !== false);
  return (
    <div className={s.searched}>
      <p role="status"><strong>{found === 0 ? "No passage" : count(found, "passage")}</strong> out of {count(searched.chunks, "chunk")} in {count(searched.documents, "document")}{took >= 1 && `, ${Math.round(took)} ms`}</p>
      {details.length > 0 && (
        <details>
          <summary>What was searched</summary>
          <ul>{details.map((detail) => <li key={detail}>{detail}</li>)}</ul>
        </details>
      )}
    </div>
  );
}

function Nothing({ reason, onClear }: { reason: AnswerData["reason"]; onClear: (() => void) | undefined }) {
  const clear = onClear && <Button onClick={onClear}>Clear the filters</Button>;
  switch (reason) {
    case "no_documents":
      return <State icon="book" title="There is nothing to search yet" actions={clear}><p>No document that is open to you has been indexed{onClear && " under these filters"}.</p></State>;
    case "filtered_out":
      return <State icon="sliders" title="Nothing under these filters" actions={clear}><p>There is something relevant, or there may be, but not with these filters.</p></State>;
    default:
      return <State icon="absent" title="Nothing relevant" actions={clear}><p>All documents that are open to you were searched, and none says anything close enough. That is an answer, too: a guess would be worse. Other words may find more.</p></State>;
  }
}

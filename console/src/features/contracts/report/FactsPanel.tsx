import type { CategoryHit, Fact } from "@/api/schema";
import { Confidence, Icon, MethodBadge, State, words } from "@/design";
import { useReport } from "./actions";
import { placeOf } from "./findings";
import s from "./panels.module.css";

export function FactsPanel({ facts }: { facts: readonly Fact[] }) {
  const { showCitation, text } = useReport();
  if (facts.length === 0) {
    return <State icon="file" title="No facts were read"><p>Neither parties nor dates, term, law or payment terms could be read from this text with certainty.</p></State>;
  }
  return (
    <dl className={s.facts}>
      {facts.map((fact) => (
        <div key={`${fact.name}-${fact.value}`}>
          <dt>{words(fact.name)}</dt>
          <dd>
            <strong>{fact.value}</strong>
            {fact.normalized !== null && fact.normalized !== fact.value && fact.normalized.length <= 24 && <code title="Machine form">{fact.normalized}</code>}
            <span className={s.factMeta}><MethodBadge method={fact.method} /><Confidence value={fact.confidence} /></span>
            {fact.citations.map((citation) => (
              <button key={citation.start} type="button" className={s.source} onClick={() => { showCitation(citation); }}>
                <Icon name="quote" size={13} />
                <span>{citation.quote}</span>
                <small>{placeOf(citation, text)}</small>
              </button>
            ))}
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function ClausesPanel({ categories }: { categories: readonly CategoryHit[] }) {
  const { showCitation, text } = useReport();
  if (categories.length === 0) return <State icon="book" title="No clause of a known kind"><p>None of the 38 clause categories was recognised in this text.</p></State>;
  return (
    <ul className={s.clauses} aria-label="Clauses found">
      {categories.map((hit) => (
        <li key={hit.category}>
          <header>
            <strong>{words(hit.category)}</strong>
            <MethodBadge method={hit.method} />
            <Confidence value={hit.probability} />
          </header>
          {hit.citations.map((citation) => (
            <button key={citation.start} type="button" className={s.source} onClick={() => { showCitation(citation); }}>
              <Icon name="quote" size={13} />
              <span>{citation.quote}</span>
              <small>{placeOf(citation, text)}</small>
            </button>
          ))}
        </li>
      ))}
    </ul>
  );
}

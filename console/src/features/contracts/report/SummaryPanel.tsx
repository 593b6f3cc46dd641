import type { Report } from "@/api/schema";
import { atTime, Badge, count, MethodBadge, Notice, SeverityCounts, State } from "@/design";
import { useReport } from "./actions";
import { placeOf } from "./findings";
import { ModelText } from "./ModelText";
import s from "./panels.module.css";

export function SummaryPanel({ report }: { report: Report }) {
  const { summary } = report;
  return (
    <div className={s.panel}>
      <section aria-labelledby="summary-heading">
        <header className={s.head}>
          <h3 id="summary-heading">Executive summary</h3>
          <MethodBadge method={summary.method} />
        </header>
        {summary.sentences.length === 0 ? (
          <State icon="file" title="No sentence could be supported"><p>Nothing that was drafted could be tied to the text, so nothing is shown.</p></State>
        ) : (
          <Sentences report={report} />
        )}
        <p className={s.note}>
          Every sentence points at its source in the text.
          {summary.dropped > 0 && ` ${count(summary.dropped, "sentence")} without support ${summary.dropped === 1 ? "was" : "were"} dropped.`}
        </p>
      </section>
      {report.warnings.map((warning) => <Notice key={warning} tone="medium">{warning}</Notice>)}
      {report.model_text !== null && <ModelText text={report.model_text.text} model={report.model_text.model} />}
      <Provenance report={report} />
    </div>
  );
}

function Sentences({ report }: { report: Report }) {
  const { showCitation, text } = useReport();
  const numbered = numberCitations(report);
  return (
    <ol className={s.sentences}>
      {report.summary.sentences.map((sentence, index) => (
        <li key={index}>
          {sentence.text}
          {numbered[index]?.map(({ citation, number }) => (
            <button
              key={number}
              type="button"
              className={s.cite}
              title={citation.quote}
              aria-label={`Source ${number}${placeOf(citation, text) === "" ? "" : `, ${placeOf(citation, text)}`}: ${citation.quote}`}
              onClick={() => { showCitation(citation); }}
            >
              {number}
            </button>
          ))}
        </li>
      ))}
    </ol>
  );
}

function numberCitations(report: Report) {
  let number = 0;
  return report.summary.sentences.map((sentence) => sentence.citations.map((citation) => ({ citation, number: (number += 1) })));
}

function Provenance({ report }: { report: Report }) {
  return (
    <section aria-labelledby="provenance-heading" className={s.provenance}>
      <h3 id="provenance-heading">How this report was made</h3>
      <dl>
        <dt>Found</dt>
        <dd><SeverityCounts counts={report.counts} /></dd>
        <dt>Playbook</dt>
        <dd>{report.playbook.name}, version {report.playbook.version}</dd>
        <dt>Clauses classified by</dt>
        <dd><MethodBadge method={report.methods.classify} /></dd>
        <dt>Findings assessed by</dt>
        <dd><MethodBadge method={report.methods.assess} /></dd>
        <dt>Summary written by</dt>
        <dd><MethodBadge method={report.methods.summarize} /></dd>
        <dt>Language models</dt>
        <dd><Badge tone={report.ai_enabled ? "good" : "info"}>{report.ai_enabled ? "allowed for this tenant" : "switched off for this tenant"}</Badge></dd>
        <dt>Made</dt>
        <dd>{atTime(report.generated_at)}</dd>
      </dl>
    </section>
  );
}

import { type ReactNode, useEffect, useRef } from "react";
import { Card, SeverityBadge, SeverityCounts, type SeverityTone } from "@/design";
import type { RunView } from "../runState";
import s from "../run.module.css";

/** Text as it is being written, with a caret while it grows. */
export function WritingText({ text, live }: { text: string; live: boolean }) {
  return <>{text}{live && <span className={s.caret} aria-hidden />}</>;
}

export function SummaryStream({ text, live }: { text: string; live: boolean }) {
  return (
    <Card label="Summary">
      <h2 className={s.cardTitle}>Summary</h2>
      {text === "" ? (
        <p className={s.quiet}>{live ? "It is written last, from the clauses that carry the contract." : "No summary was written."}</p>
      ) : (
        <p className={s.prose}><WritingText text={text} live={live} /></p>
      )}
    </Card>
  );
}

export function FindingStream({ findings, live }: { findings: RunView["findings"]; live: boolean }) {
  return (
    <Card label="Findings so far">
      <h2 className={s.cardTitle}>{live ? "Findings so far" : "Findings"} {findings.length > 0 && <SeverityCounts counts={tally(findings)} />}</h2>
      {findings.length === 0 ? (
        <p className={s.quiet}>{live ? "They appear here as the playbook is checked." : "None was recorded."}</p>
      ) : (
        // A scroll area must take the keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <ul className={s.findings} aria-live="polite" tabIndex={0}>
          {findings.map((finding) => (
            <li key={finding.id}>
              <SeverityBadge severity={finding.severity} />
              <span>{finding.title}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function tally(findings: RunView["findings"]): Partial<Record<SeverityTone, number>> {
  const counts: Partial<Record<SeverityTone, number>> = {};
  for (const { severity } of findings) counts[severity] = (counts[severity] ?? 0) + 1;
  return counts;
}

/** The story in sentences, newest in sight while it grows. */
export function Log({ log, children }: { log: RunView["log"]; children?: ReactNode }) {
  const list = useRef<HTMLOListElement>(null);
  // Synchronizes the scroll position with the newest line.
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [log.length]);
  return (
    <Card label="What happened" pad={false}>
      <h2 className={s.logTitle}>What happened</h2>
      <ol className={s.log} ref={list} aria-live="polite" aria-relevant="additions">
        {log.map((line) => (
          <li key={line.id} data-tone={line.tone}>
            <time dateTime={line.at}>{clock.format(new Date(line.at))}</time>
            <span>{line.text}</span>
          </li>
        ))}
        {log.length === 0 && <li><span className={s.quiet}>Waiting for the first word of the worker.</span></li>}
      </ol>
      {children}
    </Card>
  );
}

const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

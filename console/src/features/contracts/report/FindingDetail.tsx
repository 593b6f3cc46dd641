import type { Finding } from "@/api/schema";
import { ago, Badge, Button, Icon, SEVERITY_LABEL, SeverityBadge, toast, words } from "@/design";
import { useReport } from "./actions";
import s from "./findings.module.css";

/** Why it was found, where, what to write instead, and the decision on it. */
export function FindingDetail({ finding, original }: { finding: Finding; original: Finding }) {
  const { show } = useReport();
  return (
    <div className={s.detail}>
      <div className={s.tags}>
        <SeverityBadge severity={finding.severity} />
        {finding.category !== null && <Badge outline tone="accent">{words(finding.category)}</Badge>}
        <span className={s.rule}>rule {finding.rule}</span>
      </div>
      <p>{finding.why}</p>
      {finding.citations.map((citation) => (
        <button key={citation.start} type="button" className={s.quote} onClick={() => { show(finding.id); }} aria-label={`Show in the text: ${citation.quote}`}>
          <Icon name="quote" size={14} />
          <span>{citation.quote}</span>
        </button>
      ))}
      {finding.suggestion !== null && finding.suggestion !== "" && <Suggestion text={finding.suggestion} isEdited={finding.edited?.suggestion != null} />}
      <Decided finding={finding} original={original} />
      <Actions finding={finding} />
    </div>
  );
}

function Suggestion({ text, isEdited }: { text: string; isEdited: boolean }) {
  return (
    <div className={s.suggestion}>
      <header>
        <span>{isEdited ? "Suggested wording, edited" : "Suggested wording"}</span>
        <Button size="s" tone="quiet" icon="copy" onClick={() => void copy(text)}>Copy</Button>
      </header>
      <p>{text}</p>
    </div>
  );
}

async function copy(text: string) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Wording copied");
  } catch {
    toast("The browser did not allow copying. Select the text instead.", { tone: "critical" });
  }
}

function Decided({ finding, original }: { finding: Finding; original: Finding }) {
  if (finding.decision === "open") return null;
  const who = finding.decided_by === null ? "" : ` by ${finding.decided_by}`;
  const when = finding.decided_at === null ? "" : `, ${ago(finding.decided_at)}`;
  return (
    <div className={s.decided}>
      <strong>{words(finding.decision)}{who}{when}</strong>
      {finding.reason !== null && finding.reason !== "" && <p>&ldquo;{finding.reason}&rdquo;</p>}
      {original.severity !== finding.severity && <p>Severity was {SEVERITY_LABEL[original.severity].toLowerCase()}</p>}
      {original.title !== finding.title && <p>Title was &ldquo;{original.title}&rdquo;</p>}
    </div>
  );
}

function Actions({ finding }: { finding: Finding }) {
  const { accept, dismiss, edit, undo, show, mayDecide } = useReport();
  const denied = mayDecide.reason;
  return (
    <div className={s.actions} role="group" aria-label="Decide">
      {finding.decision === "open" ? (
        <>
          <Button size="s" icon="check" tone="primary" denied={denied} onClick={() => { accept(finding); }} aria-keyshortcuts="a">Accept</Button>
          <Button size="s" icon="cross" denied={denied} onClick={() => { dismiss(finding); }} aria-keyshortcuts="d">Dismiss</Button>
          <Button size="s" icon="pencil" denied={denied} onClick={() => { edit(finding); }} aria-keyshortcuts="e">Edit</Button>
        </>
      ) : (
        <>
          <Button size="s" icon="undo" denied={denied} onClick={() => { undo(finding); }} aria-keyshortcuts="u">Undo</Button>
          {finding.decision !== "dismissed" && <Button size="s" icon="pencil" tone="quiet" denied={denied} onClick={() => { edit(finding); }} aria-keyshortcuts="e">Edit</Button>}
        </>
      )}
      {finding.citations.length > 0 && <Button size="s" tone="quiet" className={s.showButton} onClick={() => { show(finding.id); }}>Show in text</Button>}
    </div>
  );
}

import { Link } from "@tanstack/react-router";
import { Button, Card, count, fileSize, Icon, IconButton, type IconName, Spinner } from "@/design";
import { isOver, type Upload, uploads, useUploads } from "./uploads";
import s from "./uploads.module.css";

const INPUT = "knowledge-files";
const ACCEPT = ".pdf,.docx,.xlsx,.pptx,.html,.htm,.md,.txt,.csv,.tsv,.eml,.mbox,.msg,.json";

export function UploadButton({ denied }: { denied: string | undefined }) {
  return <Button tone="primary" icon="upload" denied={denied} onClick={() => document.getElementById(INPUT)?.click()}>Upload documents</Button>;
}

/** The page's one file field; every upload button opens it. */
export function UploadInput() {
  return (
    <input
      id={INPUT}
      type="file"
      multiple
      hidden
      accept={ACCEPT}
      aria-label="Documents"
      onChange={(event) => {
        uploads.add(Array.from(event.target.files ?? []));
        event.target.value = "";
      }}
    />
  );
}

/** What became of each uploaded file, until dismissed. */
export function UploadPanel() {
  const entries = useUploads();
  if (entries.length === 0) return null;
  const moving = entries.filter((entry) => !isOver(entry)).length;
  return (
    <Card pad={false} className={s.uploads} label="Uploads">
      <header>
        <strong>{moving > 0 ? `Uploading ${count(moving, "file")}` : count(entries.length, "upload")}</strong>
        {moving < entries.length && <Button size="s" tone="quiet" onClick={() => { uploads.clear(); }}>Clear finished</Button>}
      </header>
      <ul aria-live="polite">{entries.map((entry) => <Entry key={entry.key} entry={entry} />)}</ul>
    </Card>
  );
}

const ICONS: Record<Exclude<Upload["state"], "sending">, IconName> = { waiting: "clock", taken: "check", known: "copy", refused: "warning" };

function Entry({ entry }: { entry: Upload }) {
  return (
    <li data-state={entry.state}>
      <span className={s.uploadIcon}>{entry.state === "sending" ? <Spinner /> : <Icon name={ICONS[entry.state]} />}</span>
      <div className={s.uploadText}>
        <strong>{entry.name}</strong>
        <Outcome entry={entry} />
        {entry.state === "sending" && <progress className={s.progress} max={1} value={entry.sent} aria-label={`${entry.name}: ${Math.round(entry.sent * 100)} percent sent`} />}
      </div>
      {entry.state === "refused" && entry.size > 0 && <Button size="s" onClick={() => { uploads.retry(entry.key); }}>Try again</Button>}
      {entry.state !== "sending" && <IconButton size="s" icon="cross" label={`Remove ${entry.name} from this list`} onClick={() => { uploads.forget(entry.key); }} />}
    </li>
  );
}

function Outcome({ entry }: { entry: Upload }) {
  switch (entry.state) {
    case "waiting":
      return <span>Waiting, {fileSize(entry.size)}</span>;
    case "sending":
      return <span>{entry.sent < 1 ? `${Math.round(entry.sent * 100)} % of ${fileSize(entry.size)}` : "Sent, waiting for the answer"}</span>;
    case "refused":
      return <span role="alert"><b>{entry.refusal?.title}.</b> {entry.refusal?.detail}</span>;
    case "taken":
    case "known":
      return (
        <span>
          {entry.state === "known" ? "The same file is here already. " : "Taken in. "}
          {entry.document && <Link to="/knowledge/documents/$documentId" params={{ documentId: entry.document.id }}>Open it</Link>}
        </span>
      );
  }
}

import { Link } from "@tanstack/react-router";
import { Button, Card, count, fileSize, Icon, IconButton, type IconName, Spinner } from "@/design";
import { type UploadEntry, uploads, useUploads } from "../uploads";
import s from "../list.module.css";

/** What became of each uploaded file, until dismissed. */
export function UploadPanel() {
  const entries = useUploads();
  if (entries.length === 0) return null;
  const moving = entries.filter(({ state }) => state === "waiting" || state === "sending").length;
  return (
    <Card pad={false} className={s.uploads} label="Uploads">
      <header>
        <strong>{moving > 0 ? `Uploading ${count(moving, "file")}` : count(entries.length, "upload")}</strong>
        {moving < entries.length && <Button size="s" tone="quiet" onClick={() => { uploads.clearFinished(); }}>Clear finished</Button>}
      </header>
      <ul aria-live="polite">
        {entries.map((entry) => <Entry key={entry.key} entry={entry} />)}
      </ul>
    </Card>
  );
}

const ICONS: Record<Exclude<UploadEntry["state"], "sending">, IconName> = { waiting: "clock", done: "check", duplicate: "copy", failed: "warning" };

function Entry({ entry }: { entry: UploadEntry }) {
  return (
    <li data-state={entry.state}>
      <span className={s.uploadIcon}>{entry.state === "sending" ? <Spinner /> : <Icon name={ICONS[entry.state]} />}</span>
      <div className={s.uploadText}>
        <span className={s.uploadName}>{entry.name}</span>
        <Outcome entry={entry} />
        {entry.state === "sending" && (
          <progress className={s.progress} max={1} value={entry.sent} aria-label={`${entry.name}: ${Math.round(entry.sent * 100)} percent sent`} />
        )}
      </div>
      {entry.state === "failed" && entry.size > 0 && <Button size="s" onClick={() => { uploads.retry(entry.key); }}>Try again</Button>}
      {entry.state !== "sending" && <IconButton size="s" icon="cross" label={`Remove ${entry.name} from this list`} onClick={() => { uploads.forget(entry.key); }} />}
    </li>
  );
}

function Outcome({ entry }: { entry: UploadEntry }) {
  switch (entry.state) {
    case "waiting":
      return <span>Waiting, {fileSize(entry.size)}</span>;
    case "sending":
      return <span>{entry.sent < 1 ? `${Math.round(entry.sent * 100)} % of ${fileSize(entry.size)}` : "Sent, waiting for the answer"}</span>;
    case "failed":
      return <span role="alert"><strong>{entry.error?.title}.</strong> {entry.error?.detail}</span>;
    case "done":
    case "duplicate":
      return (
        <span>
          {entry.state === "duplicate" ? "The same file is here already. " : "Being analysed. "}
          {entry.contract && <Link to="/contracts/$contractId" params={{ contractId: entry.contract.id }}>{entry.state === "duplicate" ? "Open it" : "Watch"}</Link>}
        </span>
      );
  }
}

import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from "react";
import { Button, Icon } from "@/design";
import { takeDropped, uploads } from "../uploads";
import s from "../list.module.css";

const ACCEPT = ".pdf,.docx,.txt,.md,application/pdf,text/plain,text/markdown,application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/** The whole window takes dropped files; while they hover, a veil says so. */
export function DropArea({ denied }: { denied: string | undefined }) {
  const [over, setOver] = useState(false);
  const depth = useRef(0);
  const take = useEffectEvent((event: DragEvent) => {
    const carriesFiles = event.dataTransfer?.types.includes("Files") === true;
    if (!carriesFiles) return;
    event.preventDefault();
    if (event.type === "dragenter") depth.current += 1;
    if (event.type === "dragleave") depth.current -= 1;
    if (event.type === "drop") {
      depth.current = 0;
      if (denied === undefined && event.dataTransfer !== null) takeDropped(event.dataTransfer);
    }
    setOver(depth.current > 0);
  });
  // Synchronizes with drag and drop onto the window.
  useEffect(() => {
    const listener = (event: DragEvent) => { take(event); };
    const types = ["dragenter", "dragover", "dragleave", "drop"] as const;
    for (const type of types) addEventListener(type, listener);
    return () => { for (const type of types) removeEventListener(type, listener); };
  }, []);
  if (!over) return null;
  return (
    <div className={s.veil} data-testid="drop-veil">
      <div>
        <Icon name={denied === undefined ? "upload" : "lock"} size={30} />
        <strong>{denied === undefined ? "Drop to analyse" : "You may not upload"}</strong>
        <span>{denied ?? "PDF, Word, text or Markdown, several at once"}</span>
      </div>
    </div>
  );
}

const INPUT = "upload-input";

export function UploadButton({ denied, children = "Upload contracts" }: { denied: string | undefined; children?: ReactNode }) {
  return <Button tone="primary" icon="upload" denied={denied} onClick={() => document.getElementById(INPUT)?.click()}>{children}</Button>;
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
      aria-label="Contract files"
      onChange={(event) => {
        uploads.add(Array.from(event.target.files ?? []));
        event.target.value = "";
      }}
    />
  );
}

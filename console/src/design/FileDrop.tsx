import { useEffect, useEffectEvent, useRef, useState } from "react";
import { Icon } from "./Icon";
import s from "./filedrop.module.css";

interface Props {
  /** Why nothing may be dropped here, if so. */
  denied: string | undefined;
  title: string;
  hint: string;
  /** Files out of a drop, and the names of folders, whose content a browser does not hand over. */
  onFiles: (files: File[], folders: string[]) => void;
}

/** The whole window takes dropped files; while they hover, a veil says so. */
export function FileDrop({ denied, title, hint, onFiles }: Props) {
  const [over, setOver] = useState(false);
  const depth = useRef(0);
  const take = useEffectEvent((event: DragEvent) => {
    if (event.dataTransfer?.types.includes("Files") !== true) return;
    event.preventDefault();
    if (event.type === "dragenter") depth.current += 1;
    if (event.type === "dragleave") depth.current -= 1;
    if (event.type === "drop") {
      depth.current = 0;
      if (denied === undefined) onFiles(...sorted(event.dataTransfer));
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
    <div className={s.veil}>
      <div>
        <Icon name={denied === undefined ? "upload" : "lock"} size={30} />
        <strong>{denied === undefined ? title : "You may not upload"}</strong>
        <span>{denied ?? hint}</span>
      </div>
    </div>
  );
}

function sorted(data: DataTransfer): [File[], string[]] {
  const files: File[] = [];
  const folders: string[] = [];
  for (const item of Array.from(data.items)) {
    const file = item.kind === "file" ? item.getAsFile() : null;
    if (file === null) continue;
    if (item.webkitGetAsEntry()?.isDirectory === true) folders.push(file.name);
    else files.push(file);
  }
  return [files, folders];
}

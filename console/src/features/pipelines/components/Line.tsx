import { useEffect, useState } from "react";
import { Badge, Spinner } from "@/design";
import s from "../run.module.css";
import type { RunStream } from "../useRunStream";

/** How the line to the server is. */
export function Line({ stream, live }: { stream: RunStream; live: boolean }) {
  if (stream.connection === "refused") return <Badge tone="critical" icon="warning">{stream.error?.message ?? "The stream was refused"}</Badge>;
  if (!live || stream.connection === "ended") return null;
  if (stream.connection === "live") return <span className={s.line} data-testid="stream-live"><span className={s.dot} />Live</span>;
  return <span className={s.line} role="status"><Spinner />{stream.connection === "waiting" ? "Reconnecting" : "Connecting"}</span>;
}

export function useNow(ticking: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  // Synchronizes with the clock while something is running.
  useEffect(() => {
    if (!ticking) return;
    const timer = setInterval(() => { setNow(Date.now()); }, 250);
    return () => { clearInterval(timer); };
  }, [ticking]);
  return now;
}

import { useEffect, useEffectEvent, useReducer, useState } from "react";
import { readRunEvent, type RunEvent } from "@/api/events";
import type { ApiError } from "@/api/problem";
import type { Run } from "@/api/schema";
import { type Connection, follow } from "@/api/stream";
import { hasEnded, tell, viewOf, type RunView } from "./runState";

/** Events that arrive within this time are shown together: one rendering for a burst of tokens. */
const FLUSH_MS = 24;

export interface RunStream {
  view: RunView;
  connection: Connection;
  error: ApiError | null;
}

/** Follows a run from its first event. Give the component a `key` of the run's id. */
export function useRunStream(run: Run, onEnded: () => void): RunStream {
  const [view, dispatch] = useReducer(tell, run, viewOf);
  const [line, setLine] = useState<{ connection: Connection; error: ApiError | null }>({ connection: "connecting", error: null });
  const ended = useEffectEvent(() => {
    // One who only looks at the story of a run that ended before has nothing to be told.
    if (!hasEnded(run.status)) onEnded();
  });
  // Synchronizes with the server's event stream of this run.
  useEffect(() => {
    let waiting: RunEvent[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      const events = waiting;
      waiting = [];
      dispatch(events);
      if (events.some(({ type }) => type === "run.finished")) ended();
    };
    const stop = follow({
      url: `/v1/runs/${encodeURIComponent(run.id)}/events`,
      isLast: ({ type }) => type === "run.finished",
      onConnection: (connection, error) => { setLine({ connection, error }); },
      onEvent: ({ type, id, data }) => {
        const event = readRunEvent(type, id, data);
        if (event === null) return;
        waiting.push(event);
        timer ??= setTimeout(flush, FLUSH_MS);
      },
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [run.id]);
  return { view, ...line };
}

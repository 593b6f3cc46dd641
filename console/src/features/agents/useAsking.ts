import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useReducer, useRef, useState } from "react";
import { asApiError } from "@/api/problem";
import type { ServerEvent } from "@/api/sse";
import { ALL, ask, cancelRun } from "./api";
import { begin, heard, type Telling } from "./telling";

type Step = { begin: string } | { event: ServerEvent } | { error: string } | { over: true };

function next(telling: Telling | null, step: Step): Telling | null {
  if ("begin" in step) return begin(step.begin);
  if (telling === null || "over" in step) return null;
  return "event" in step ? heard(telling, step.event) : { ...telling, error: step.error };
}

/** Asks on a thread and follows the answer; what was told stays until the thread's state has it. */
export function useAsking() {
  const queryClient = useQueryClient();
  const [telling, tell] = useReducer(next, null);
  const [busy, setBusy] = useState(false);
  const stop = useRef<AbortController | null>(null);
  // Leaving the page leaves the line; the run itself goes on.
  useEffect(() => () => { stop.current?.abort(); }, []);
  async function send(thread: string, question: string): Promise<void> {
    const line = new AbortController();
    stop.current = line;
    setBusy(true);
    tell({ begin: question });
    let failed = false;
    try {
      await ask(thread, question, (event) => { failed ||= event.type === "error"; tell({ event }); }, line.signal);
    } catch (error) {
      if (line.signal.aborted) return;
      failed = true;
      tell({ error: asApiError(error).message });
    }
    await queryClient.invalidateQueries({ queryKey: ALL });
    setBusy(false);
    if (!failed) tell({ over: true });
  }
  async function cancel(thread: string): Promise<void> {
    if (telling?.run != null) await cancelRun(thread, telling.run);
  }
  return { telling, busy, send, cancel };
}

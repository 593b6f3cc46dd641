/** How far a run has come, told by its events. */
import { useEffect, useEffectEvent, useReducer } from "react";
import { readRunEvent, type RunEvent } from "@/api/events";
import { follow } from "@/api/stream";

export interface Progress {
  steps: readonly string[];
  done: number;
  /** What it is doing. */
  text: string;
  /** Share of the present step, in [0, 1]. */
  within: number;
}
export const AT_START: Progress = { steps: [], done: 0, text: "Waiting for its turn", within: 0 };

export function told(progress: Progress, event: RunEvent): Progress {
  switch (event.type) {
    case "run.started":
      return { ...progress, steps: event.steps.map(({ name }) => name), text: event.steps[0]?.title ?? progress.text };
    case "step.started":
    case "step.progress":
    case "step.finished":
    case "step.retrying":
    case "step.failed":
      return { ...progress, text: event.text ?? progress.text, within: 0, ...moved(progress, event) };
    case "snapshot": {
      const { steps } = event.snapshot;
      const running = steps.find(({ status }) => status === "running");
      return { steps: steps.map(({ name }) => name), done: steps.filter(({ status }) => status === "succeeded").length, text: running?.title ?? progress.text, within: 0 };
    }
    default:
      return progress;
  }
}

type StepEvent = Extract<RunEvent, { type: `step.${string}` }>;

/** What a step's event says of how far the run is, besides its words. */
function moved({ steps }: Progress, event: StepEvent): Partial<Progress> {
  switch (event.type) {
    case "step.started":
      return { done: Math.max(0, steps.indexOf(event.step)) };
    case "step.finished":
      return { done: steps.indexOf(event.step) + 1 };
    case "step.progress":
      return { within: event.total != null && event.total > 0 ? (event.done ?? 0) / event.total : 0 };
    default:
      return {};
  }
}

/** In [0, 1]; never quite 1 before it has ended. */
export function share({ steps, done, within }: Progress): number {
  return steps.length === 0 ? 0 : Math.min(0.99, (done + within) / steps.length);
}

/** Follows a run by its stream. Give the component a `key` of the run's id. */
export function useProgress(streamUrl: string, onEnded: () => void): Progress {
  const [progress, tell] = useReducer(told, AT_START);
  const ended = useEffectEvent(onEnded);
  // Synchronizes with the server's event stream of this run.
  useEffect(() => follow({
    url: streamUrl,
    isLast: ({ type }) => type === "run.finished",
    onConnection: (connection) => { if (connection === "refused") ended(); },
    onEvent: ({ type, id, data }) => {
      const event = readRunEvent(type, id, data);
      if (event === null) return;
      tell(event);
      if (event.type === "run.finished") ended();
    },
  }), [streamUrl]);
  return progress;
}

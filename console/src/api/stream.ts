/**
 * A stream of events that heals itself: fetch rather than EventSource, because only fetch tells
 * a 401 from a broken line, and because silence (no keep-alive for `silenceMs`) counts as broken.
 * It resumes with Last-Event-ID and stops after the event for which `isLast` is true.
 */
import { reportStatus } from "./client";
import { ApiError, problemFrom, unreachable } from "./problem";
import { createParser, type ServerEvent } from "./sse";

export type Connection = "connecting" | "live" | "waiting" | "ended" | "refused";

export interface StreamOptions {
  url: string;
  onEvent: (event: ServerEvent) => void;
  onConnection: (connection: Connection, error: ApiError | null) => void;
  isLast: (event: ServerEvent) => boolean;
  silenceMs?: number;
  pauseMs?: (attempt: number) => number;
}

const PERMANENT = new Set([400, 401, 403, 404, 406, 410, 422]);

/** Starts to follow; the returned function stops it. */
export function follow(options: StreamOptions): () => void {
  const stop = new AbortController();
  void keepFollowing(options, stop.signal);
  return () => {
    stop.abort();
  };
}

async function keepFollowing(options: StreamOptions, stop: AbortSignal): Promise<void> {
  const { onConnection, pauseMs = defaultPause } = options;
  const state: Progress = { lastId: null, finished: false, attempt: 0, retry: null };
  while (!stop.aborted) {
    let failure: ApiError | null = null;
    onConnection("connecting", null);
    try {
      await readOnce(options, state, stop);
    } catch (error) {
      failure = error instanceof ApiError ? error : unreachable();
    }
    if (stop.aborted) return;
    if (state.finished) return onConnection("ended", null);
    if (failure !== null && PERMANENT.has(failure.status)) return onConnection("refused", failure);
    onConnection("waiting", failure);
    const asked = failure?.retryAfterSeconds;
    const pause = asked != null ? asked * 1000 : Math.max(state.retry ?? 0, pauseMs(state.attempt));
    state.attempt += 1;
    await sleep(pause, stop);
  }
}

interface Progress {
  lastId: string | null;
  finished: boolean;
  attempt: number;
  retry: number | null;
}

function defaultPause(attempt: number): number {
  return Math.min(10_000, 400 * 2 ** attempt) * (0.7 + Math.random() * 0.6);
}

async function readOnce(options: StreamOptions, state: Progress, stop: AbortSignal): Promise<void> {
  const line = new AbortController();
  const hangUp = () => {
    line.abort();
  };
  stop.addEventListener("abort", hangUp, { once: true });
  const watchdog = silenceWatch(options.silenceMs ?? 45_000, hangUp);
  try {
    const response = await fetch(options.url, { headers: headers(state.lastId), signal: line.signal, cache: "no-store" });
    if (!response.ok || response.body === null) {
      reportStatus(response.status, options.url);
      throw problemFrom(response.status, await response.json().catch(() => null), response.headers.get("Retry-After"));
    }
    options.onConnection("live", null);
    await drain(response.body, options, state, watchdog);
  } finally {
    watchdog.end();
    stop.removeEventListener("abort", hangUp);
    hangUp();
  }
}

async function drain(body: ReadableStream<Uint8Array>, options: StreamOptions, state: Progress, watchdog: Watchdog): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = createParser();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    watchdog.heard();
    for (const event of parser.push(decoder.decode(value, { stream: true }))) {
      state.lastId = event.id ?? state.lastId;
      state.attempt = 0;
      options.onEvent(event);
      if (options.isLast(event)) {
        state.finished = true;
        return;
      }
    }
    state.retry = parser.retry();
  }
}

function headers(lastId: string | null): Record<string, string> {
  return lastId === null ? { Accept: "text/event-stream" } : { Accept: "text/event-stream", "Last-Event-ID": lastId };
}

interface Watchdog {
  heard: () => void;
  end: () => void;
}

function silenceWatch(milliseconds: number, bark: () => void): Watchdog {
  let timer = setTimeout(bark, milliseconds);
  return {
    heard() {
      clearTimeout(timer);
      timer = setTimeout(bark, milliseconds);
    },
    end() {
      clearTimeout(timer);
    },
  };
}

function sleep(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    stop.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

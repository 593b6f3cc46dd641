/** The agent server below /v1/agents: threads, and one run at a time followed as it happens. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { csrfHeaders, http, reportStatus, unwrap } from "@/api/client";
import { problemFrom, unreachable } from "@/api/problem";
import { createParser, type ServerEvent } from "@/api/sse";
import { type Conversation, readConversation, readThread, type Thread } from "./shapes";

export const AGENT = "contracts_ask";
export const ALL = ["agents"];
const PAGE = 30;

export const threadsQuery = infiniteQueryOptions({
  queryKey: [...ALL, "threads"],
  queryFn: async ({ pageParam, signal }): Promise<Thread[]> => {
    const found: unknown = await unwrap(http.POST("/v1/agents/threads/search", { body: { metadata: { agent: AGENT }, limit: PAGE, offset: pageParam, sort_by: "updated_at", sort_order: "desc" }, signal }));
    return Array.isArray(found) ? found.map(readThread) : [];
  },
  initialPageParam: 0,
  getNextPageParam: (last, pages) => (last.length === PAGE ? pages.length * PAGE : undefined),
});

export const threadQuery = (thread: string) =>
  queryOptions({
    queryKey: [...ALL, "thread", thread],
    queryFn: async ({ signal }): Promise<Thread> => readThread(await unwrap(http.GET("/v1/agents/threads/{thread}", { params: { path: { thread } }, signal }))),
    // A decided approval makes it go on by itself.
    refetchInterval: ({ state }) => (state.data?.status === "interrupted" || state.data?.status === "busy" ? 2_500 : false),
  });

export const conversationQuery = (thread: string, status: string | undefined) =>
  queryOptions({
    queryKey: [...ALL, "state", thread, status],
    queryFn: async ({ signal }): Promise<Conversation> => readConversation(await unwrap(http.GET("/v1/agents/threads/{thread}/state", { params: { path: { thread } }, signal }))),
    placeholderData: (before) => before,
  });

export async function createThread(title: string): Promise<Thread> {
  return readThread(await unwrap(http.POST("/v1/agents/threads", { body: { metadata: { agent: AGENT, title: title.slice(0, 120) }, if_exists: "raise" } })));
}

export async function deleteThread(thread: string): Promise<void> {
  await unwrap(http.DELETE("/v1/agents/threads/{thread}", { params: { path: { thread } } }));
}

export async function cancelRun(thread: string, run: string): Promise<void> {
  await unwrap(http.POST("/v1/agents/threads/{thread}/runs/{run}/cancel", { params: { path: { thread, run } } }));
}

/** Asks a question and tells every event of its run until the run is over. */
export async function ask(thread: string, question: string, onEvent: (event: ServerEvent) => void, signal: AbortSignal): Promise<void> {
  const body = {
    assistant_id: AGENT,
    input: { messages: [{ role: "human", content: question }] },
    stream_mode: ["messages-tuple", "updates", "custom"],
    multitask_strategy: "enqueue",
    on_disconnect: "continue",
  };
  const url = `/v1/agents/threads/${encodeURIComponent(thread)}/runs/stream`;
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream", ...csrfHeaders() },
    body: JSON.stringify(body),
    signal,
  }).catch((error: unknown) => { throw signal.aborted ? error : unreachable(); });
  reportStatus(response.status, url);
  if (!response.ok || response.body === null) throw problemFrom(response.status, await response.json().catch(() => null), response.headers.get("Retry-After"));
  await drain(response.body, onEvent);
}

async function drain(body: ReadableStream<Uint8Array>, onEvent: (event: ServerEvent) => void): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = createParser();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const event of parser.push(decoder.decode(value, { stream: true }))) onEvent(event);
  }
}

import { expect, test, vi } from "vitest";
import type { ApiError } from "./problem";
import type { ServerEvent } from "./sse";
import { type Connection, follow } from "./stream";

function streamOf(text: string, ending: "close" | "break" | AbortSignal = "close"): Response {
  let sent = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent && ending === "close") controller.close();
      else if (sent && ending === "break") controller.error(new TypeError("connection lost"));
      else if (!sent) controller.enqueue(new TextEncoder().encode(text));
      // An open line says nothing until it is hung up.
      else return new Promise((_, reject) => { if (ending instanceof AbortSignal) ending.onabort = () => { reject(new DOMException("hung up", "AbortError")); }; });
      sent = true;
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

/** Follows until the connection is done; gives back what was seen and what was asked with. */
async function watch(answers: ((hangUp: AbortSignal) => Response)[], silenceMs = 1000) {
  const asked: (string | null)[] = [];
  vi.stubGlobal("fetch", (_url: string, init: RequestInit) => {
    asked.push(new Headers(init.headers).get("Last-Event-ID"));
    const answer = answers.shift();
    return answer === undefined ? Promise.reject(new TypeError("no server")) : Promise.resolve(answer(init.signal ?? AbortSignal.abort()));
  });
  const events: ServerEvent[] = [];
  const connections: Connection[] = [];
  const end = await new Promise<{ connection: Connection; error: ApiError | null }>((resolve) => {
    follow({
      url: "/v1/runs/run_1/events",
      onEvent: (event) => events.push(event),
      onConnection: (connection, error) => {
        connections.push(connection);
        if (connection === "ended" || connection === "refused") resolve({ connection, error });
      },
      isLast: ({ type }) => type === "run.finished",
      pauseMs: () => 0,
      silenceMs,
    });
  });
  return { asked, events, connections, end };
}

const ONE = "id: 1-1\nevent: step.started\ndata: {}\n\n";
const TWO = "id: 1-2\nevent: run.finished\ndata: {}\n\n";

test("a broken stream is taken up again after the last event seen", async () => {
  const { asked, events, end } = await watch([() => streamOf(ONE, "break"), () => streamOf(TWO)]);
  expect(asked).toEqual([null, "1-1"]);
  expect(events.map(({ id }) => id)).toEqual(["1-1", "1-2"]);
  expect(end.connection).toBe("ended");
});

test("a stream that ends without the last event is taken up again, also after a server error", async () => {
  const { asked, end } = await watch([() => streamOf(ONE), () => new Response(null, { status: 503 }), () => streamOf(TWO)]);
  expect(asked).toEqual([null, "1-1", "1-1"]);
  expect(end.connection).toBe("ended");
});

test("silence longer than allowed counts as broken", async () => {
  const { asked } = await watch([(hangUp) => streamOf(ONE, hangUp), () => streamOf(TWO)], 20);
  expect(asked).toEqual([null, "1-1"]);
});

test("a refusal is final and says why", async () => {
  const refusal = () => new Response(JSON.stringify({ detail: "There is no such run." }), { status: 404 });
  const { end, asked } = await watch([refusal]);
  expect(end).toMatchObject({ connection: "refused", error: { message: "There is no such run.", status: 404 } });
  expect(asked).toHaveLength(1);
});

test("no event is read after the last one", async () => {
  const { events } = await watch([() => streamOf(TWO + ONE)]);
  expect(events).toHaveLength(1);
});

// Frontend libraries, unchanged, each following a run. Each line of standard input is a task in JSON, each line of
// output what came of it: {"task": "ag-ui" | "ui-message-stream" | "use-chat", "url": ..., "key": ...}

import { createInterface } from "node:readline";

import { HttpAgent } from "@ag-ui/client";
import { EventSchema } from "@ag-ui/core/schemas";
import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport, parseJsonEventStream, readUIMessageStream, uiMessageChunkSchema } from "ai";
import { Window } from "happy-dom";

// The agent asks for a run that is there by GET; what it does with the events is the library's own.
class Follower extends HttpAgent {
  requestInit() {
    return { method: "GET", headers: this.headers, signal: this.abortController.signal };
  }
}

async function follow(url, key) {
  const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response;
}

function shown(message) {
  const texts = message.parts.filter((part) => part.type === "text" && !part.providerMetadata?.mainspring?.superseded);
  const steps = message.parts.filter((part) => part.type === "data-step");
  return {
    texts: texts.map((part) => part.text),
    steps: Object.fromEntries(steps.map((part) => [part.id, part.data.status])),
    findings: message.parts.filter((part) => part.type === "data-finding-added").map((part) => part.data.title),
    tools: message.parts.filter((part) => part.type === "dynamic-tool").map((part) => [part.toolName, part.state]),
    isOpen: texts.some((part) => part.state !== "done"),
  };
}

const tasks = {
  // The client's whole pipeline: its schemas, `verifyEvents`, and what it makes of messages and state.
  async "ag-ui"(url, key) {
    const agent = new Follower({ url, headers: { authorization: `Bearer ${key}` }, threadId: "t" });
    const types = [];
    let failed = null;
    const subscriber = {
      onEvent: ({ event }) => void types.push(EventSchema.parse(event).type),
      onRunErrorEvent: ({ event }) => void (failed = { message: event.message, code: event.code }),
    };
    await agent.runAgent({}, subscriber);
    return { types, failed, messages: agent.messages, state: agent.state };
  },
  // Each part is held to the SDK's schema, then read as `readUIMessageStream` reads it.
  async "ui-message-stream"(url, key) {
    const response = await follow(url, key);
    const errors = [];
    const chunks = parseJsonEventStream({ stream: response.body, schema: uiMessageChunkSchema }).pipeThrough(
      new TransformStream({
        transform(part, controller) {
          if (!part.success) throw part.error;
          controller.enqueue(part.value);
        },
      }),
    );
    let last = null;
    for await (const message of readUIMessageStream({
      stream: chunks,
      onError: (error) => errors.push(String(error)),
    }))
      last = message;
    const protocol = response.headers.get("x-vercel-ai-ui-message-stream");
    return { ...shown(last), id: last.id, errors, protocol };
  },
  // The hook in a real React tree, resuming a stream as a page does that was loaded again.
  async "use-chat"(url, key) {
    const React = await import("react");
    const { createRoot } = await import("react-dom/client");
    const container = document.createElement("div");
    const root = createRoot(container);
    try {
      return await new Promise((resolve, reject) => {
        const transport = new DefaultChatTransport({
          prepareReconnectToStreamRequest: () => ({ api: url, headers: { authorization: `Bearer ${key}` } }),
        });
        const errors = [];
        function Chat() {
          const { messages, status, resumeStream, error } = useChat({
            transport,
            onError: (thrown) => errors.push(thrown.message),
            onFinish: ({ message, isAbort, isError }) => resolve({ ...shown(message), isAbort, isError, errors }),
          });
          React.useEffect(() => void resumeStream().catch(reject), []);
          return React.createElement("p", null, `${status} ${messages.length} ${error ?? ""}`);
        }
        root.render(React.createElement(Chat));
      });
    } finally {
      root.unmount();
    }
  },
};

const page = new Window();
globalThis.window = page;
globalThis.document = page.document;
globalThis.navigator = page.navigator;

for await (const line of createInterface({ input: process.stdin })) {
  const { task, url, key } = JSON.parse(line);
  const told = await tasks[task](url, key).catch((error) => ({ thrown: error.stack ?? String(error) }));
  process.stdout.write(JSON.stringify(told) + "\n");
}
process.exit(0);

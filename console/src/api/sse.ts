/** Server-sent events from bytes, by the letter of the WHATWG format that the server uses. */
export interface ServerEvent {
  id: string | null;
  type: string;
  data: string;
}

export interface Parser {
  /** Feeds text as it came, cut anywhere; returns the events that it completed. */
  push: (text: string) => ServerEvent[];
  /** The server's wish for the pause before reconnecting, in ms, once it said so. */
  retry: () => number | null;
}

export function createParser(): Parser {
  let rest = "";
  let type = "";
  let id: string | null = null;
  let data: string[] = [];
  let retry: number | null = null;

  function field(name: string, value: string): void {
    if (name === "event") type = value;
    else if (name === "data") data.push(value);
    else if (name === "id" && !value.includes("\0")) id = value;
    else if (name === "retry" && /^\d+$/.test(value)) retry = Number(value);
  }

  function line(text: string): ServerEvent | null {
    if (text === "") return dispatch();
    if (text.startsWith(":")) return null;
    const colon = text.indexOf(":");
    if (colon === -1) field(text, "");
    else field(text.slice(0, colon), text.slice(colon + 1).replace(/^ /, ""));
    return null;
  }

  function dispatch(): ServerEvent | null {
    const event = data.length > 0 ? { id, type: type || "message", data: data.join("\n") } : null;
    type = "";
    data = [];
    return event;
  }

  return {
    push(text) {
      rest += text;
      const events: ServerEvent[] = [];
      // A lone CR at the end may be the first half of CRLF: keep it for the next piece.
      const cut = /\r\n|\n|\r(?!$)/g;
      let from = 0;
      for (let found = cut.exec(rest); found !== null; found = cut.exec(rest)) {
        const event = line(rest.slice(from, found.index));
        if (event !== null) events.push(event);
        from = cut.lastIndex;
      }
      rest = rest.slice(from);
      return events;
    },
    retry: () => retry,
  };
}

/**
 * The one way to the server: openapi-fetch over same-origin cookies.
 * The session's CSRF token is kept here and sent with everything that changes something.
 */
import createClient, { type Middleware } from "openapi-fetch";
import { problemFrom, unreachable } from "./problem";
import type { Sent } from "./schema";
import type { paths } from "./schema.gen";

let csrfToken: string | null = null;
let onSignedOut: () => void = () => undefined;

export function rememberCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Called when any answer but that of the session itself is a 401. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

export function csrfHeaders(): Record<string, string> {
  return csrfToken === null ? {} : { "X-CSRF-Token": csrfToken };
}

export function reportStatus(status: number, url: string): void {
  const path = url.split("?", 1)[0] ?? "";
  if (status === 401 && !path.endsWith("/v1/session")) onSignedOut();
}

const guard: Middleware = {
  onRequest({ request }) {
    if (request.method !== "GET") for (const [name, value] of Object.entries(csrfHeaders())) request.headers.set(name, value);
    return request;
  },
  onResponse({ response, request }) {
    reportStatus(response.status, request.url);
  },
  onError() {
    return unreachable();
  },
};

export const http = createClient<paths>({
  baseUrl: typeof location === "undefined" ? "" : location.origin,
  fetch: (request: Request) => fetch(request),
});
http.use(guard);

/** The data of an answer, or an ApiError thrown: what query and mutation functions return. */
export async function unwrap<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<Sent<T>> {
  const { data, error, response } = await call;
  if (response.ok) return data as Sent<T>;
  throw problemFrom(response.status, error, response.headers.get("Retry-After"));
}

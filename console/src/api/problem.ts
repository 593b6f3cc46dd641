/** Every failure of a call as one error class, in the words that the server chose. */
import type { Problem } from "./schema";

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | null;
  readonly fields: { field: string; message: string }[];
  readonly requestId: string | null;

  constructor(problem: Partial<Problem> & { status: number }, retryAfterSeconds: number | null = null) {
    super(problem.detail ?? problem.title ?? `The server answered ${problem.status}.`);
    this.name = "ApiError";
    this.status = problem.status;
    this.code = problem.code ?? "unknown";
    this.title = problem.title ?? "Something went wrong";
    this.retryable = problem.retryable ?? problem.status >= 500;
    this.retryAfterSeconds = retryAfterSeconds;
    this.fields = problem.errors ?? [];
    this.requestId = problem.request_id ?? null;
  }

  /** A refusal because of the role, not a failure. */
  get isDenied(): boolean {
    return this.status === 403;
  }
}

/** The server could not be reached at all; status 0. */
export function unreachable(): ApiError {
  return new ApiError({
    status: 0,
    code: "unreachable",
    title: "No connection",
    detail: "The server did not answer. Check that Mainspring is running, then try again.",
    retryable: true,
  });
}

/** Reads a body that may be problem+json, HTML of a proxy, or nothing. */
export function problemFrom(status: number, body: unknown, retryAfter: string | null): ApiError {
  const seconds = retryAfter === null ? NaN : Number(retryAfter);
  const wait = Number.isFinite(seconds) ? seconds : null;
  if (typeof body === "object" && body !== null) return new ApiError({ ...(body as Partial<Problem>), status }, wait);
  return new ApiError({ status }, wait);
}

/** For what is thrown around a call: an aborted or failed connection reads as one, the rest as a fault of the console. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ApiError({ status: 0, code: "console", title: "The console failed", detail: message, retryable: false });
}

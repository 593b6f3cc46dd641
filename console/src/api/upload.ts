/** Uploads by XMLHttpRequest: fetch still cannot tell how much of a body has been sent. */
import { csrfHeaders, reportStatus } from "./client";
import { type ApiError, problemFrom, unreachable } from "./problem";
import type { Submitted } from "./schema";

export interface Upload {
  file: File;
  playbook?: string;
  onProgress: (fraction: number) => void;
  signal?: AbortSignal;
}

export function uploadContract({ file, playbook, onProgress, signal }: Upload): Promise<Submitted> {
  const form = new FormData();
  form.append("file", file, file.name);
  if (playbook !== undefined) form.append("playbook", playbook);
  return new Promise((resolve, reject: (error: ApiError) => void) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/v1/contracts");
    request.setRequestHeader("Accept", "application/json");
    for (const [name, value] of Object.entries(csrfHeaders())) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      reportStatus(request.status, "/v1/contracts");
      const body = readJson(request.responseText);
      if (request.status >= 200 && request.status < 300) resolve(body as Submitted);
      else reject(problemFrom(request.status, body, request.getResponseHeader("Retry-After")));
    };
    request.onerror = () => {
      reject(unreachable());
    };
    request.onabort = () => {
      reject(unreachable());
    };
    signal?.addEventListener("abort", () => {
      request.abort();
    });
    request.send(form);
  });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

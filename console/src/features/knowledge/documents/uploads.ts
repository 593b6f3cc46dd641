/**
 * The queue of uploads. It lives outside the components, so that going to another page loses nothing.
 * Two files travel at a time; each ends as sent, as known already, or with the server's words on why not.
 */
import { useSyncExternalStore } from "react";
import { csrfHeaders, reportStatus } from "@/api/client";
import { asApiError, problemFrom, unreachable } from "@/api/problem";
import type { DocumentSubmitted, KnowledgeDocument } from "../shapes";

export interface Upload {
  key: number;
  name: string;
  size: number;
  state: "waiting" | "sending" | "taken" | "known" | "refused";
  /** Share of the bytes sent, in [0, 1]. */
  sent: number;
  document: KnowledgeDocument | null;
  refusal: { title: string; detail: string } | null;
}
export interface Sent {
  submitted: DocumentSubmitted;
  /** The same bytes were here already. */
  isKnown: boolean;
}
type Send = (file: File, onProgress: (share: number) => void) => Promise<Sent>;

const AT_A_TIME = 2;
const PATH = "/v1/knowledge/documents";

export class Uploads {
  private entries: readonly Upload[] = [];
  private files = new Map<number, File>();
  private listeners = new Set<() => void>();
  private nextKey = 1;

  constructor(private readonly send: Send, private readonly onTaken: () => void = () => undefined) {}

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = () => this.entries;

  add(files: readonly File[], folders: readonly string[] = []): void {
    const refusal = { title: "Not uploaded", detail: "This is a folder. Open it and drop the files that are in it." };
    const refused = folders.map((name) => ({ ...this.entry(name, 0), state: "refused", refusal }) satisfies Upload);
    const fresh = files.map((file) => {
      const entry = this.entry(file.name, file.size);
      this.files.set(entry.key, file);
      return entry;
    });
    this.show([...this.entries, ...refused, ...fresh]);
    this.pump();
  }

  retry(key: number): void {
    this.change(key, { state: "waiting", sent: 0, refusal: null });
    this.pump();
  }

  forget(key: number): void {
    this.files.delete(key);
    this.show(this.entries.filter((entry) => entry.key !== key));
  }

  clear(): void {
    for (const entry of this.entries.filter(isOver)) this.forget(entry.key);
  }

  private entry(name: string, size: number): Upload {
    return { key: this.nextKey++, name, size, state: "waiting", sent: 0, document: null, refusal: null };
  }

  private pump(): void {
    const sending = this.entries.filter(({ state }) => state === "sending").length;
    for (const entry of this.entries.filter(({ state }) => state === "waiting").slice(0, AT_A_TIME - sending)) void this.transfer(entry.key);
  }

  private async transfer(key: number): Promise<void> {
    const file = this.files.get(key);
    if (file === undefined) return;
    this.change(key, { state: "sending" });
    try {
      const { submitted, isKnown } = await this.send(file, (sent) => { this.change(key, { sent }); });
      this.files.delete(key);
      this.change(key, { state: isKnown ? "known" : "taken", sent: 1, document: submitted.document });
      this.onTaken();
    } catch (failure) {
      const { title, message } = asApiError(failure);
      this.change(key, { state: "refused", refusal: { title, detail: message } });
    }
    this.pump();
  }

  private change(key: number, part: Partial<Upload>): void {
    this.show(this.entries.map((entry) => (entry.key === key ? { ...entry, ...part } : entry)));
  }

  private show(entries: readonly Upload[]): void {
    this.entries = entries;
    for (const listener of this.listeners) listener();
  }
}

export function isOver({ state }: Upload): boolean {
  return state !== "waiting" && state !== "sending";
}

/** By XMLHttpRequest: fetch still cannot tell how much of a body has been sent. */
function sendFile(file: File, onProgress: (share: number) => void): Promise<Sent> {
  const form = new FormData();
  form.append("file", file, file.name);
  return new Promise((resolve, reject: (error: Error) => void) => {
    const request = new XMLHttpRequest();
    request.open("POST", PATH);
    request.setRequestHeader("Accept", "application/json");
    for (const [name, value] of Object.entries(csrfHeaders())) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ lengthComputable, loaded, total }) => { if (lengthComputable) onProgress(loaded / total); };
    request.onload = () => {
      reportStatus(request.status, PATH);
      const body = readJson(request.responseText);
      if (request.status < 200 || request.status > 299) reject(problemFrom(request.status, body, request.getResponseHeader("Retry-After")));
      else resolve({ submitted: body as DocumentSubmitted, isKnown: request.status === 200 });
    };
    request.onerror = () => { reject(unreachable()); };
    request.onabort = () => { reject(unreachable()); };
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

let taken: () => void = () => undefined;
export const uploads = new Uploads(sendFile, () => { taken(); });

/** Says what to do when the server has taken a file; the latest word counts. */
export function whenTaken(listener: () => void): void {
  taken = listener;
}

export function useUploads(): readonly Upload[] {
  return useSyncExternalStore(uploads.subscribe, uploads.snapshot);
}

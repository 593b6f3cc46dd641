/**
 * The queue of uploads. It lives outside the components, so that going to another page loses nothing.
 * Two files travel at a time; each ends as done, as a duplicate, or with the server's words on why not.
 */
import { useSyncExternalStore } from "react";
import { asApiError } from "@/api/problem";
import type { Contract, Submitted } from "@/api/schema";
import { type Upload, uploadContract } from "@/api/upload";

export interface UploadEntry {
  key: number;
  name: string;
  size: number;
  state: "waiting" | "sending" | "done" | "duplicate" | "failed";
  /** Share of the bytes sent, in [0, 1]. */
  sent: number;
  contract: Contract | null;
  error: { title: string; detail: string } | null;
}

type Send = (upload: Upload) => Promise<Submitted>;
const AT_A_TIME = 2;

export class UploadQueue {
  private entries: readonly UploadEntry[] = [];
  private files = new Map<number, File>();
  private listeners = new Set<() => void>();
  private nextKey = 1;

  constructor(private readonly send: Send = uploadContract, private readonly onArrived: () => void = () => undefined) {}

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = () => this.entries;

  add(files: readonly File[]): void {
    const fresh = files.map((file) => {
      const key = this.nextKey++;
      this.files.set(key, file);
      return { key, name: file.name, size: file.size, state: "waiting", sent: 0, contract: null, error: null } satisfies UploadEntry;
    });
    this.entries = [...this.entries, ...fresh];
    this.changed();
    this.pump();
  }

  refuse(name: string, detail: string): void {
    const error = { title: "Not uploaded", detail };
    this.entries = [...this.entries, { key: this.nextKey++, name, size: 0, state: "failed", sent: 0, contract: null, error }];
    this.changed();
  }

  retry(key: number): void {
    this.change(key, { state: "waiting", sent: 0, error: null });
    this.pump();
  }

  forget(key: number): void {
    this.files.delete(key);
    this.entries = this.entries.filter((entry) => entry.key !== key);
    this.changed();
  }

  clearFinished(): void {
    this.entries = this.entries.filter((entry) => entry.state === "waiting" || entry.state === "sending");
    this.changed();
  }

  private pump(): void {
    const sending = this.entries.filter((entry) => entry.state === "sending").length;
    for (const entry of this.entries.filter(({ state }) => state === "waiting").slice(0, AT_A_TIME - sending)) void this.transfer(entry);
  }

  private async transfer(entry: UploadEntry): Promise<void> {
    const file = this.files.get(entry.key);
    if (file === undefined) return;
    this.change(entry.key, { state: "sending" });
    try {
      const { contract, duplicate } = await this.send({ file, onProgress: (sent) => { this.change(entry.key, { sent }); } });
      this.files.delete(entry.key);
      this.change(entry.key, { state: duplicate ? "duplicate" : "done", sent: 1, contract });
      this.onArrived();
    } catch (failure) {
      const { title, message } = asApiError(failure);
      this.change(entry.key, { state: "failed", error: { title, detail: message } });
    }
    this.pump();
  }

  private change(key: number, part: Partial<UploadEntry>): void {
    this.entries = this.entries.map((entry) => (entry.key === key ? { ...entry, ...part } : entry));
    this.changed();
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

let arrived: () => void = () => undefined;
export const uploads = new UploadQueue(uploadContract, () => { arrived(); });

/** Says what to do when a file has become a contract; the latest word counts. */
export function whenUploaded(listener: () => void): void {
  arrived = listener;
}

export function useUploads(): readonly UploadEntry[] {
  return useSyncExternalStore(uploads.subscribe, uploads.snapshot);
}

/** Files out of a drop; folders are refused by name. */
export function takeDropped(data: DataTransfer): void {
  const files: File[] = [];
  for (const item of Array.from(data.items)) {
    if (item.kind !== "file") continue;
    const file = item.getAsFile();
    if (file === null) continue;
    if (item.webkitGetAsEntry()?.isDirectory === true) uploads.refuse(file.name, "This is a folder. Open it and drop the files that are in it.");
    else files.push(file);
  }
  if (files.length > 0) uploads.add(files);
}

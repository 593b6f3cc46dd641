import { expect, test, vi } from "vitest";
import { ApiError } from "@/api/problem";
import type { Submitted } from "@/api/schema";
import type { Upload } from "@/api/upload";
import { contract, run } from "@/testing/server";
import { UploadQueue } from "./uploads";

const file = (name: string) => new File(["words"], name);
const submitted = (duplicate: boolean): Submitted => ({ contract: contract(), run: run(), stream_url: "", duplicate });

test("two files travel at a time, the rest wait their turn", async () => {
  const finish: (() => void)[] = [];
  const queue = new UploadQueue(() => new Promise((resolve) => finish.push(() => { resolve(submitted(false)); })));
  queue.add([file("a"), file("b"), file("c")]);
  expect(queue.snapshot().map(({ state }) => state)).toEqual(["sending", "sending", "waiting"]);
  finish[0]?.();
  await vi.waitFor(() => { expect(queue.snapshot().map(({ state }) => state)).toEqual(["done", "sending", "sending"]); });
});

test("each file ends with its own outcome, in the server's words", async () => {
  const send = ({ file: sent }: Upload) => {
    if (sent.name === "locked.pdf") return Promise.reject(new ApiError({ status: 422, title: "Encrypted", detail: "'locked.pdf' asks for a password." }));
    return Promise.resolve(submitted(sent.name === "known.pdf"));
  };
  const queue = new UploadQueue(send);
  queue.add([file("new.pdf"), file("known.pdf"), file("locked.pdf")]);
  await vi.waitFor(() => { expect(queue.snapshot().map(({ state }) => state)).toEqual(["done", "duplicate", "failed"]); });
  expect(queue.snapshot()[2]?.error).toEqual({ title: "Encrypted", detail: "'locked.pdf' asks for a password." });
});

test("progress is told, and a failed file can be tried again", async () => {
  let attempt = 0;
  const shares: number[] = [];
  const queue: UploadQueue = new UploadQueue(({ onProgress }) => {
    attempt += 1;
    onProgress(0.5);
    shares.push(queue.snapshot()[0]?.sent ?? -1);
    return attempt === 1 ? Promise.reject(new ApiError({ status: 503 })) : Promise.resolve(submitted(false));
  });
  queue.add([file("a")]);
  await vi.waitFor(() => { expect(queue.snapshot()[0]?.state).toBe("failed"); });
  queue.retry(queue.snapshot()[0]?.key ?? 0);
  await vi.waitFor(() => { expect(queue.snapshot()[0]?.state).toBe("done"); });
  expect(shares).toEqual([0.5, 0.5]);
});

test("clearing leaves what is on its way", () => {
  const queue = new UploadQueue(() => new Promise(() => undefined));
  queue.refuse("folder", "This is a folder.");
  queue.add([file("a")]);
  queue.clearFinished();
  expect(queue.snapshot().map(({ name }) => name)).toEqual(["a"]);
});

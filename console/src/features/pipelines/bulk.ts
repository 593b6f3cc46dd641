import { count } from "@/design";
import type { Bulk } from "./shapes";

/** "12 runs replayed", or that workers go on with it. */
export function doneInWords({ state, done, skipped, last_problem }: Bulk, did: string, one = "run"): string {
  const rest = skipped === 0 ? "" : `, ${skipped} left as they were${last_problem === null ? "" : `: ${last_problem}`}`;
  return state === "finished" ? `${count(done, one)} ${did}${rest}` : `${count(done, one)} ${did} so far; workers go on with the rest`;
}

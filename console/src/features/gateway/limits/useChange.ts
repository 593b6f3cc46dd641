import { asApiError } from "@/api/problem";
import type { Policy, StoredPolicy } from "@/api/schema";
import { isStale, useSavePolicy } from "../queries";

/**
 * A change to some fields of the policy, over whatever version is the present one when it is sent.
 * When somebody else was faster, the new version is fetched and shown, and the change can be sent again.
 */
export function usePolicyChange(stored: StoredPolicy) {
  const save = useSavePolicy();
  const error = save.error === null ? null : asApiError(save.error);
  return {
    busy: save.isPending,
    reset: save.reset,
    trouble: error === null ? null : isStale(save.error) ? staleTrouble(stored) : { title: "Not saved", text: error.message },
    send(change: (policy: Policy) => Policy, onSaved: (saved: StoredPolicy) => void) {
      save.mutate({ policy: change(stored.policy), version: stored.version }, { onSuccess: onSaved });
    },
  };
}

export function staleTrouble(stored: StoredPolicy): { title: string; text: string } {
  return {
    title: "Not saved: the policy was changed meanwhile",
    text: `The present version ${stored.version} by ${stored.updated_by ?? "someone else"} is shown now. Look at it; saving again applies your change to it.`,
  };
}

/** Sets fields, or takes them out where they are undefined; all others stay. */
export function withFields(policy: Policy, fields: Partial<Policy>): Policy {
  return JSON.parse(JSON.stringify({ ...policy, ...fields })) as Policy;
}

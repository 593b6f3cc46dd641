import { asApiError } from "@/api/problem";
import type { Policy, StoredPolicy } from "@/api/schema";
import { useActor } from "../actor";
import { isStale, useSavePolicy } from "../queries";

/**
 * A change to some fields of the policy, over whatever version is the present one when it is sent.
 * When somebody else was faster, the new version is fetched and shown, and the change can be sent again.
 */
export function usePolicyChange(stored: StoredPolicy) {
  const save = useSavePolicy();
  const actor = useActor(stored.updated_by);
  const error = save.error === null ? null : asApiError(save.error);
  return {
    busy: save.isPending,
    reset: save.reset,
    trouble: error === null ? null : isStale(save.error) ? staleTrouble(stored.version, actor) : { title: "Not saved", text: error.message },
    send(change: (policy: Policy) => Policy, onSaved: (saved: StoredPolicy) => void) {
      save.mutate({ policy: change(stored.policy), version: stored.version }, { onSuccess: onSaved });
    },
  };
}

function staleTrouble(version: number, actor: string): { title: string; text: string } {
  return {
    title: "Not saved: the policy was changed meanwhile",
    text: `The present version ${version} by ${actor} is shown now. Look at it; saving again applies your change to it.`,
  };
}

/** Sets fields, or takes them out where they are undefined; all others stay. */
export function withFields(policy: Policy, fields: Partial<Policy>): Policy {
  return JSON.parse(JSON.stringify({ ...policy, ...fields })) as Policy;
}

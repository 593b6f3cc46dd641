import { type ReactNode, useMemo, useState } from "react";
import { asApiError } from "@/api/problem";
import type { Finding } from "@/api/schema";
import { useAllowance } from "@/api/session";
import { toast } from "@/design";
import { useDecide } from "../queries";
import { DecisionDialog } from "./DecisionDialog";

/** Accept, dismiss, edit and undo, with the dialog that two of them need. */
export function useDecisions(contractId: string) {
  const mayDecide = useAllowance("ai.recommendation.approve");
  const { mutateAsync } = useDecide(contractId);
  const [asking, setAsking] = useState<{ kind: "dismiss" | "edit"; finding: Finding } | null>(null);

  const actions = useMemo(() => {
    const guarded = (run: (finding: Finding) => void) => (finding: Finding) => {
      if (mayDecide.allowed) run(finding);
      else toast(mayDecide.reason ?? "Not permitted", { tone: "critical" });
    };
    return {
      mayDecide: { allowed: mayDecide.allowed, reason: mayDecide.reason },
      accept: guarded((finding) => void decideAtOnce(mutateAsync, finding, "accepted")),
      undo: guarded((finding) => void decideAtOnce(mutateAsync, finding, "open")),
      dismiss: guarded((finding) => { setAsking({ kind: "dismiss", finding }); }),
      edit: guarded((finding) => { setAsking({ kind: "edit", finding }); }),
    };
  }, [mayDecide.allowed, mayDecide.reason, mutateAsync]);

  const dialog: ReactNode = asking && (
    <DecisionDialog
      {...asking}
      onClose={() => { setAsking(null); }}
      onDecide={async (decision) => {
        await mutateAsync({ finding: asking.finding, ...decision });
        toast(asking.kind === "dismiss" ? "Finding dismissed" : "Edit saved");
      }}
    />
  );
  return { ...actions, dialog };
}

type Send = ReturnType<typeof useDecide>["mutateAsync"];

/** A decision that needs no words; the confirmation offers to take an acceptance back. */
async function decideAtOnce(send: Send, finding: Finding, decision: "accepted" | "open"): Promise<void> {
  try {
    const decided = await send({ finding, decision });
    if (decision === "open") toast("Decision undone");
    else toast("Finding accepted", { action: { label: "Undo", run: () => void decideAtOnce(send, decided, "open") } });
  } catch (error) {
    toast(asApiError(error).message, { tone: "critical" });
  }
}

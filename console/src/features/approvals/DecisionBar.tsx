import { useState } from "react";
import { useSession } from "@/api/session";
import { Button, Card, Row, Text } from "@/design";
import { DelegateDialog, EditDialog, ReasonDialog } from "./dialogs";
import { refusalOf, useApprovalChanges } from "./queries";
import type { Approval, Ruling } from "./shapes";
import s from "./approvals.module.css";

interface Props {
  approval: Approval;
  names: ReadonlyMap<string, string>;
  onRefusal: (refusal: { title: string; text: string } | null) => void;
}

/** What somebody may say to a proposal, or why they may not. Mount with the digest as key: another content, another word. */
export function DecisionBar({ approval, names, onRefusal }: Props) {
  const session = useSession();
  const [asking, setAsking] = useState<"approve" | "reject" | "edit" | "delegate" | "withdraw" | null>(null);
  const { decide, withdraw } = useApprovalChanges(approval.id);
  const close = () => { setAsking(null); };
  if (approval.state !== "pending") return null;
  const own = [...approval.initiator, ...approval.editor].includes(`user:${session.user?.id}`);
  const ways = { onSuccess: () => { onRefusal(null); close(); }, onError: (error: Error) => { onRefusal(refusalOf(error)); close(); } };
  const rule = (body: Omit<Ruling, "digest">) => { decide.mutate({ ...body, digest: approval.digest }, ways); };
  return (
    <Card label="Decide" className={s.bar}>
      {!approval.may_decide && <Text as="p" tone="soft">{whyNot(approval, own)}</Text>}
      <Row gap={2} wrap>
        {approval.may_decide && (
          <>
            <Button tone="primary" icon="check" onClick={() => { setAsking("approve"); }}>Approve</Button>
            <Button icon="pencil" onClick={() => { setAsking("edit"); }}>Edit, then approve</Button>
            <Button tone="danger" icon="cross" onClick={() => { setAsking("reject"); }}>Reject</Button>
            <Button tone="quiet" icon="people" onClick={() => { setAsking("delegate"); }}>Delegate</Button>
          </>
        )}
        {own && <Button tone="quiet" icon="undo" onClick={() => { setAsking("withdraw"); }}>Withdraw</Button>}
      </Row>
      {asking === "approve" && <ReasonDialog title="Approve it?" action="Approve" tone="primary" busy={decide.isPending} onClose={close} onSend={(reason) => { rule({ verdict: "approve", reason }); }}>It is done at once by who waits for it, exactly as shown, and once only.</ReasonDialog>}
      {asking === "reject" && <ReasonDialog title="Reject it?" action="Reject" tone="danger" required busy={decide.isPending} onClose={close} onSend={(reason) => { rule({ verdict: "reject", reason }); }}>It is not done. Who asked is told, with your reason.</ReasonDialog>}
      {asking === "withdraw" && <ReasonDialog title="Withdraw it?" action="Withdraw" tone="danger" busy={withdraw.isPending} onClose={close} onSend={(reason) => { withdraw.mutate(reason, ways); }}>Nobody is asked any more, and it is not done.</ReasonDialog>}
      {asking === "edit" && <EditDialog approval={approval} onClose={close} onRefusal={onRefusal} />}
      {asking === "delegate" && <DelegateDialog approval={approval} names={names} onClose={close} onRefusal={onRefusal} />}
    </Card>
  );
}

function whyNot({ four_eyes, assigned }: Approval, own: boolean): string {
  if (own && four_eyes) return "You began this work or edited it last: under four eyes another person has to decide it.";
  return `It is for ${assigned.map((each) => each.replace(/^role:/, "every ")).join(", ")} to decide.`;
}

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useAllowance } from "@/api/session";
import { ago, Arriving, Badge, Button, Card, CardHead, Row, RowMain, Rows, Text, toast } from "@/design";
import type { Hold } from "../shapes";
import { HoldDialog } from "./HoldDialog";
import { holdsQuery, useHoldChanges } from "./queries";
import s from "./operations.module.css";

/** What is held of this tenant, and holding more. */
export function HoldsCard() {
  const holds = useQuery(holdsQuery);
  const may = useAllowance("run.operate");
  const [holding, setHolding] = useState(false);
  return (
    <Arriving query={holds} what="What is held" lines={2}>
      {(held) => (
        <Card pad={false} label="Holds">
          <CardHead title="Holds" lead={held.length === 0 ? "Nothing is held: every step starts as soon as there is a place" : "What waits starts again at once when it is let go"}>
            <Button icon="pause" denied={may.reason} onClick={() => { setHolding(true); }}>Pause or drain</Button>
          </CardHead>
          {held.length > 0 && <Rows label="Holds">{held.map((hold) => <HoldRow key={hold.id} hold={hold} />)}</Rows>}
          {holding && <HoldDialog onClose={() => { setHolding(false); }} />}
        </Card>
      )}
    </Arriving>
  );
}

export function heldOf({ pipeline, step }: Pick<Hold, "pipeline" | "step">): string {
  if (pipeline === null) return "Everything of this tenant";
  return step === null ? pipeline : `${pipeline}, step ${step}`;
}

function HoldRow({ hold }: { hold: Hold }) {
  const may = useAllowance("run.operate");
  const { release } = useHoldChanges();
  const what = heldOf(hold);
  const letGo = () => { release.mutate(hold.id, { onSuccess: () => { toast(`${what} goes on`); }, onError: (error) => { toast(error.message, { tone: "critical" }); } }); };
  return (
    <li>
      <RowMain>
        <Row gap={2} wrap><strong>{what}</strong><Badge tone="medium" icon={hold.kind === "pause" ? "pause" : "download"}>{hold.kind === "pause" ? "Paused" : "Draining"}</Badge></Row>
        <Text as="p" tone="soft" size="s">{hold.reason}</Text>
        <Text as="p" tone="faint" size="s">by {hold.held_by} {ago(hold.held_at)}{hold.kind === "drain" ? "; new submissions are refused, what is there runs out" : "; nothing more is started"}</Text>
      </RowMain>
      <Button size="s" icon="play" className={s.fixed} busy={release.isPending} denied={may.reason} aria-label={`Let go: ${what}`} onClick={letGo}>Let go</Button>
    </li>
  );
}

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { allowance, useSession } from "@/api/session";
import { ago, Arriving, atTime, Card, Facts, Icon, JsonView, Markdown, Notice, Page, Row, Text, when } from "@/design";
import { DecisionBar } from "./DecisionBar";
import { History } from "./History";
import { approvalQuery, peopleQuery } from "./queries";
import type { Approval } from "./shapes";
import { StateBadge, useHands } from "./words";
import s from "./approvals.module.css";

export function ApprovalPage({ approvalId }: { approvalId: string }) {
  const approval = useQuery(approvalQuery(approvalId));
  return <Page narrow><Arriving query={approval} what="The approval" lines={9}>{(data) => <Shown key={data.id} approval={data} />}</Arriving></Page>;
}

function useNames(): ReadonlyMap<string, string> {
  const session = useSession();
  const people = useQuery({ ...peopleQuery, enabled: allowance(session, "member.view").allowed });
  return new Map((people.data ?? []).map(({ user }) => [user.id, user.name]));
}

function Shown({ approval }: { approval: Approval }) {
  const [refusal, setRefusal] = useState<{ title: string; text: string } | null>(null);
  const names = useNames();
  const hand = useHands(names);
  return (
    <div className={s.page}>
      <header>
        <Link to="/approvals" className={s.back}><Icon name="left" size={14} /> Approvals</Link>
        <h1>{approval.title ?? approval.action}</h1>
        <Row gap={3} wrap><StateBadge state={approval.state} /><Text tone="soft" size="s">{standing(approval, hand)}</Text></Row>
      </header>
      {refusal !== null && <Notice tone="critical" title={refusal.title}>{refusal.text}</Notice>}
      {approval.replaced_by !== null && <Notice tone="medium" title="It was replaced">What was proposed has changed. <Link to="/approvals/$approvalId" params={{ approvalId: approval.replaced_by }}>Look at the proposal that took its place</Link>.</Notice>}
      {approval.is_shown ? <What approval={approval} /> : <Notice title="Not yours to see">It is neither yours to decide nor your work; what it is about is shown to those only. It can be decided by {approval.assigned.map(hand).join(", ")}.</Notice>}
      <Card label="Facts">
        <Facts
          facts={[
            ["Asked", atTime(approval.asked_at)],
            ["Expires", approval.state === "pending" ? `${atTime(approval.expires_at)}, ${when(approval.expires_at)}` : atTime(approval.expires_at)],
            ["May decide", approval.assigned.map(hand).join(", ")],
            ["Begun by", approval.initiator.length === 0 ? "the platform" : approval.initiator.map(hand).join(", ")],
            ["Last edited by", approval.editor.length === 0 ? null : approval.editor.map(hand).join(", ")],
            ["Four eyes", approval.four_eyes ? "Whoever began or edited it may not decide it" : "Not asked for"],
            ["Escalates", approval.escalate_at === null || approval.state !== "pending" ? null : `${when(approval.escalate_at)} to ${approval.escalate_to.map(hand).join(", ")}`],
            ["Waiting run", approval.run === null ? null : <Link key="run" to="/runs/$runId" params={{ runId: approval.run }}>{approval.run}</Link>],
          ]}
        />
      </Card>
      <DecisionBar key={approval.digest} approval={approval} names={names} onRefusal={setRefusal} />
      {approval.history.length > 0 && <History entries={approval.history} hand={hand} />}
    </div>
  );
}

function standing(approval: Approval, hand: (hand: string) => string): string {
  if (approval.decided_at === null) return approval.state === "pending" ? `expires ${when(approval.expires_at)}` : "";
  const why = approval.reason === null ? "" : `: ${approval.reason}`;
  return `${approval.verdict === "edit" ? "with an edit, " : ""}by ${hand(approval.decided_by ?? "somebody")} ${ago(approval.decided_at)}${why}`;
}

/** Exactly what will be done: the action, what it is called with, what it puts out, and the words of who asks. */
function What({ approval }: { approval: Approval }) {
  const isStale = approval.shown_digest !== approval.digest;
  return (
    <Card label="What will be done">
      <div className={s.what}>
        <h2>What will be done</h2>
        {isStale && (
          <Notice tone="medium" title="The words below were written for an earlier version">
            It was edited since. What counts is the action with its arguments, as they stand here.
          </Notice>
        )}
        <section aria-label="Exactly">
          <p className={s.call}><code>{approval.action}</code> is called with</p>
          <JsonView label="Arguments" value={approval.arguments} />
          {approval.output !== null && (
            <>
              <p className={s.call}>and puts out</p>
              <JsonView label="Output" value={approval.output} />
            </>
          )}
        </section>
        {approval.shown !== null && approval.shown !== "" && (
          <section aria-label="In the words of who asks" data-stale={isStale || undefined} className={s.words}>
            <p className={s.call}>In the words of who asks{isStale && ", before the edit"}</p>
            <Markdown text={approval.shown} />
          </section>
        )}
        <p className={s.digest}>Decided is the content with this fingerprint, and no other: <code>{approval.digest}</code>{approval.revision > 1 && ` (revision ${approval.revision})`}</p>
      </div>
    </Card>
  );
}

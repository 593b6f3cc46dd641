import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ago, Arriving, Badge, Button, Card, More, Page, PageHead, Row, rowLinkClass, RowMain, Rows, Segments, Select, State, Text, when } from "@/design";
import { inboxQuery, type InboxView } from "./queries";
import type { ApprovalLine, ApprovalState } from "./shapes";
import { STATE_WORDS, StateBadge } from "./words";

interface Props {
  view: InboxView;
  onView: (change: InboxView) => void;
}

const SHOWN: { value: "mine" | "asked" | "all"; label: string }[] = [
  { value: "mine", label: "Mine to decide" },
  { value: "asked", label: "All that wait" },
  { value: "all", label: "All" },
];

export function InboxPage({ view, onView }: Props) {
  const list = useInfiniteQuery(inboxQuery(view));
  return (
    <Page narrow>
      <PageHead title="Approvals" lead="Actions that wait for a person, each exactly as it will be done" />
      <Row wrap gap={3}>
        <Segments label="Which approvals" value={view.show ?? "mine"} onChange={(show) => { onView({ show: show === "mine" ? undefined : show, status: undefined }); }} options={SHOWN} />
        {view.show === "all" && (
          <Select aria-label="State" value={view.status ?? ""} onChange={(event) => { onView({ status: event.target.value === "" ? undefined : (event.target.value as ApprovalState) }); }}>
            <option value="">Every state</option>
            {STATE_WORDS.map(({ value, label }) => <option key={value} value={value}>{label}</option>)}
          </Select>
        )}
        {view.run !== undefined && <Button size="s" tone="quiet" icon="cross" onClick={() => { onView({ run: undefined }); }}>Of every run</Button>}
      </Row>
      <div style={{ height: 16 }} />
      <Arriving query={list} what="The approvals" lines={6}>{({ pages }) => <Listing approvals={pages.flatMap((page) => page.items)} view={view} onView={onView} />}</Arriving>
      <More list={list} />
    </Page>
  );
}

function Listing({ approvals, view, onView }: Props & { approvals: ApprovalLine[] }) {
  if (approvals.length > 0) {
    return <Card pad={false} label="Approvals"><Rows label="Approvals">{approvals.map((approval) => <Line key={approval.id} approval={approval} />)}</Rows></Card>;
  }
  if (view.show === undefined) {
    return (
      <Card>
        <State icon="check" title="Nothing waits for you" actions={<Button onClick={() => { onView({ show: "asked" }); }}>Show all that wait</Button>}>
          <p>When a step, an agent or a tool wants to do what needs a person, it is asked here. What you began or edited yourself is for somebody else to decide.</p>
        </State>
      </Card>
    );
  }
  return <Card><State icon="check" title={view.show === "asked" ? "Nothing waits" : "No approval matches"} /></Card>;
}

function Line({ approval }: { approval: ApprovalLine }) {
  return (
    <li>
      <RowMain>
        <Link to="/approvals/$approvalId" params={{ approvalId: approval.id }} className={rowLinkClass}>{approval.title ?? approval.action}</Link>
        <Text as="p" tone="faint" size="s"><code>{approval.action}</code>, asked {ago(approval.asked_at)}{!approval.is_shown && ". What it is about is for others to see"}</Text>
      </RowMain>
      <Row gap={2} wrap>
        {approval.state === "pending" && approval.escalated_at !== null && <Badge tone="medium" icon="warning">Escalated</Badge>}
        {approval.state === "pending" && <Text tone={isSoon(approval) ? "critical" : "faint"} size="s">expires {when(approval.expires_at)}</Text>}
        {approval.may_decide ? <Badge tone="accent">Yours to decide</Badge> : <StateBadge state={approval.state} />}
      </Row>
    </li>
  );
}

const isSoon = ({ expires_at }: ApprovalLine) => Date.parse(expires_at) - Date.now() < 86_400_000;

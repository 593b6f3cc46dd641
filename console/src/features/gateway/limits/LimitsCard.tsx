import { useQueries } from "@tanstack/react-query";
import { useState } from "react";
import type { Limit, SpendDay, StoredPolicy } from "@/api/schema";
import { useAllowance } from "@/api/session";
import { Badge, Button, Card, count, Row, State, Text } from "@/design";
import { usd, utcDay, whole } from "../figures";
import { spendQuery } from "../queries";
import { sum } from "../spend/days";
import { LimitDialog } from "./LimitDialog";
import { LimitMeters } from "./LimitMeters";
import { spoken, subject } from "./limits";
import { RemoveLimitDialog } from "./RemoveLimitDialog";
import s from "../gateway.module.css";
import l from "./limits.module.css";

export function LimitsCard({ stored }: { stored: StoredPolicy }) {
  const may = useAllowance("gateway.manage");
  const [adding, setAdding] = useState(false);
  const limits = stored.policy.limits ?? [];
  const today = utcDay();
  const month = `${today.slice(0, 8)}01`;
  const scopes = [...new Set(["tenant" as const, ...limits.map((limit) => limit.scope)])];
  // Null while some of it is missing: then no use is shown, rather than too little.
  const spent = useQueries({
    queries: scopes.map((scope) => spendQuery(month, today, scope)),
    combine: (parts) => ({
      days: parts.every((part) => part.data?.isWhole === true) ? parts.flatMap((part) => part.data?.days ?? []) : null,
      isLost: parts.some((part) => part.isError || part.data?.isWhole === false),
    }),
  });
  return (
    <Card pad={false} label="Limits and budgets">
      <header className={s.cardHead}>
        <div>
          <h2>Limits and budgets</h2>
          <Text as="p" tone="faint" size="s">A call must fit all that apply to it. Changes act within a second; days and months are UTC</Text>
        </div>
        <Button icon="plus" denied={may.reason ?? (limits.length >= 64 ? "A policy has at most 64 limits" : undefined)} onClick={() => { setAdding(true); }}>Add a limit</Button>
      </header>
      {spent.isLost ? <p className={l.lost}>What is used today and this month could not be read in full, so it is not shown.</p> : <Used days={spent.days} today={today} />}
      {limits.length === 0 ? (
        <State icon="sliders" title="Nothing is limited"><p>Any call that a provider takes is made. Add a budget for the tenant, or a rate for each API key.</p></State>
      ) : (
        <ul className={s.rows}>{limits.map((limit, index) => <LimitRow key={`${index}${spoken(limit)}`} limit={limit} stored={stored} days={spent.days} today={today} />)}</ul>
      )}
      {adding && <LimitDialog stored={stored} before={null} onClose={() => { setAdding(false); }} />}
    </Card>
  );
}

function Used({ days, today }: { days: SpendDay[] | null; today: string }) {
  if (days === null) return null;
  const tenant = days.filter((day) => day.scope === "tenant");
  const now = sum(tenant.filter((day) => day.spent_on === today));
  const month = sum(tenant);
  return (
    <dl className={l.used}>
      <div><dt>Today</dt><dd>{usd(now.cost_micros)}</dd><dd>{count(now.calls, "call")}, {whole(now.tokens)} tokens</dd></div>
      <div><dt>This month</dt><dd>{usd(month.cost_micros)}</dd><dd>{count(month.calls, "call")}, {whole(month.tokens)} tokens</dd></div>
    </dl>
  );
}

function LimitRow({ limit, stored, days, today }: { limit: Limit; stored: StoredPolicy; days: SpendDay[] | null; today: string }) {
  const may = useAllowance("gateway.manage");
  const [asking, setAsking] = useState<"edit" | "remove" | null>(null);
  return (
    <li>
      <div className={s.rowMain}>
        <Row gap={2} wrap>
          <strong>{subject(limit)}</strong>
          <Badge outline>warns from {limit.soft_percent ?? 80} %</Badge>
        </Row>
        <LimitMeters limit={limit} days={days} today={today} />
      </div>
      <Row gap={2}>
        <Button size="s" denied={may.reason} aria-label={`Change ${spoken(limit)}`} onClick={() => { setAsking("edit"); }}>Change</Button>
        <Button size="s" tone="danger" denied={may.reason} aria-label={`Remove ${spoken(limit)}`} onClick={() => { setAsking("remove"); }}>Remove</Button>
      </Row>
      {asking === "edit" && <LimitDialog stored={stored} before={limit} onClose={() => { setAsking(null); }} />}
      {asking === "remove" && <RemoveLimitDialog stored={stored} limit={limit} onClose={() => { setAsking(null); }} />}
    </li>
  );
}

import { useQuery } from "@tanstack/react-query";
import type { LimitScope } from "@/api/schema";
import { Card, Failure, Loading, Segments, SkeletonLines, State, Text } from "@/design";
import { compact, usd, utcDay, whole } from "../figures";
import { spendQuery } from "../queries";
import type { GatewayView, Viewed } from "../view";
import { allDays, type Sum, sum } from "./days";
import { SpendChart } from "./SpendChart";
import { DayTable, ValueTable } from "./SpendTables";
import s from "./spend.module.css";

type Range = "7" | "30" | "90";
type By = NonNullable<GatewayView["by"]> | "day";
const RANGES: { value: Range; label: string }[] = [{ value: "7", label: "7 days" }, { value: "30", label: "30 days" }, { value: "90", label: "90 days" }];
const BYS: { value: By; label: string }[] = [
  { value: "day", label: "By day" },
  { value: "model", label: "Model" },
  { value: "feature", label: "Feature" },
  { value: "key", label: "API key" },
  { value: "user", label: "End user" },
];

export function SpendPanel({ view, onView }: Viewed) {
  const length = view.days ?? 30;
  const from = utcDay(length - 1);
  const total = useQuery(spendQuery(from, utcDay(), "tenant"));
  if (total.isError) return <Card><Failure what="The spend" error={total.error} onRetry={() => void total.refetch()} /></Card>;
  const days = total.data && allDays(total.data.days, length);
  const all = sum(total.data?.days ?? []);
  return (
    <>
      <div className={s.bar}>
        <Segments label="Days" value={String(length) as Range} options={RANGES} onChange={(range) => { onView({ days: range === "7" ? 7 : range === "90" ? 90 : undefined }); }} />
        <Segments label="Break down" value={view.by ?? "day"} options={BYS} onChange={(by) => { onView({ by: by === "day" ? undefined : by }); }} />
      </div>
      <Card label="Spend of each day">
        {days === undefined ? (
          <Loading label="Loading the spend"><SkeletonLines count={6} /></Loading>
        ) : all.calls === 0 ? (
          <State icon="classifier" title="Nothing was spent"><p>No call was counted in the last {length} days. Spend appears here within seconds of a call.</p></State>
        ) : (
          <>
            <dl className={s.totals}>
              <div><dt>Spent in {length} days</dt><dd>{usd(all.cost_micros)}</dd></div>
              <div><dt>Calls</dt><dd>{whole(all.calls)}</dd></div>
              <div><dt>Tokens</dt><dd title={whole(all.tokens)}>{compact(all.tokens)}</dd></div>
              <div><dt>Mean of a day</dt><dd>{usd(Math.round(all.cost_micros / length))}</dd></div>
            </dl>
            <SpendChart days={days} />
          </>
        )}
      </Card>
      {days !== undefined && all.calls > 0 && (view.by === undefined ? <DayTable days={[...days].reverse()} /> : <Breakdown from={from} by={view.by} of={all} />)}
      <Text as="p" tone="faint" size="s">Days are counted in UTC. A call whose price is not known counts its tokens, and no money.</Text>
    </>
  );
}

function Breakdown({ from, by, of }: { from: string; by: Exclude<LimitScope, "tenant">; of: Sum }) {
  const spend = useQuery(spendQuery(from, utcDay(), by));
  if (spend.isError) return <Card><Failure what="The breakdown" error={spend.error} onRetry={() => void spend.refetch()} /></Card>;
  if (spend.data === undefined) return <Loading label="Loading the breakdown"><Card><SkeletonLines count={6} /></Card></Loading>;
  return <ValueTable spend={spend.data} by={by} of={of} />;
}

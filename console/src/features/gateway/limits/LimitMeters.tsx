import type { Limit, SpendDay } from "@/api/schema";
import { amount, type Measure, MEASURES, type Use, usedOf } from "./limits";
import l from "./limits.module.css";

/** Every value that a limit sets, with what is used of it where that can be told. */
export function LimitMeters({ limit, days, today }: { limit: Limit; days: SpendDay[] | null; today: string }) {
  const set = MEASURES.filter(({ field }) => limit[field] != null);
  if (set.length === 0) return <p className={l.nothing}>Sets no value, so it limits nothing.</p>;
  return (
    <ul className={l.meters}>
      {set.map((measure) => <Meter key={measure.field} measure={measure} limit={limit} days={days} today={today} />)}
    </ul>
  );
}

function Meter({ measure, limit, days, today }: { measure: Measure; limit: Limit; days: SpendDay[] | null; today: string }) {
  const most = limit[measure.field] ?? 0;
  const use = days === null ? null : usedOf(limit, measure, days, today);
  return (
    <li>
      <span className={l.meterName}>{measure.label}</span>
      {use === null ? <span className={l.meterValue}><strong>{amount(measure, most)}</strong></span> : <Used measure={measure} most={most} use={use} soft={limit.soft_percent ?? 80} />}
      {use !== null && isShared(limit) && use.used > 0 && <span className={l.meterWho}>the most by <code>{use.value}</code></span>}
    </li>
  );
}

function Used({ measure, most, use, soft }: { measure: Measure; most: number; use: Use; soft: number }) {
  const share = most > 0 ? Math.min(1, use.used / most) : 1;
  const state = share >= 1 ? "full" : share * 100 >= soft ? "warn" : "fine";
  return (
    <>
      <span className={l.meterValue}><strong>{amount(measure, most)}</strong> · {amount(measure, use.used)} used{state === "full" ? ", none left" : state === "warn" ? `, ${Math.round(share * 100)} %` : ""}</span>
      <span className={l.track} data-state={state} role="meter" aria-label={`${measure.label}, used`} aria-valuemin={0} aria-valuemax={most} aria-valuenow={Math.min(use.used, most)} aria-valuetext={`${amount(measure, use.used)} of ${amount(measure, most)}`}>
        <span style={{ width: `${share * 100}%` }} />
      </span>
    </>
  );
}

/** Whether many have this allowance, each their own. */
function isShared(limit: Limit): boolean {
  return limit.scope !== "tenant" && (limit.match ?? "*") === "*";
}

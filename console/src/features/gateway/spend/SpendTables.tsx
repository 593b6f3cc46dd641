import type { ReactNode } from "react";
import type { LimitScope } from "@/api/schema";
import { Card, Notice, State } from "@/design";
import { dayName, usd, whole } from "../figures";
import type { Spend } from "../queries";
import { byValue, type DaySum, type Sum } from "./days";
import s from "./spend.module.css";

const NAMES = { model: "Model", feature: "Feature", key: "API key", user: "End user" } as const;
const NOTHING = {
  model: "No call of a model was counted on these days.",
  feature: "No call named its feature. Send it as a header, and calls are counted by it.",
  key: "No call came with an API key on these days.",
  user: "No call named its end user. Send it as a header, and calls are counted by it.",
} as const;

export function DayTable({ days }: { days: DaySum[] }) {
  return (
    <Figures caption="Spend of each day, newest first" head="Day">
      {days.filter((day) => day.calls > 0).map((day) => <FigureRow key={day.day} name={dayName(day.day)} of={day} />)}
    </Figures>
  );
}

export function ValueTable({ spend, by, of }: { spend: Spend; by: Exclude<LimitScope, "tenant">; of: Sum }) {
  const values = byValue(spend.days);
  if (values.length === 0) return <Card><State icon="classifier" title={`Nothing by ${NAMES[by].toLowerCase()}`}><p>{NOTHING[by]}</p></State></Card>;
  return (
    <>
      {!spend.isWhole && <Notice tone="medium" title="Too much to add up here">Only the newest part of these days is counted below. Choose fewer days, or read <code>GET /v1/gateway/spend</code>.</Notice>}
      <Figures caption={`Spend by ${NAMES[by].toLowerCase()}, the dearest first`} head={NAMES[by]} share>
        {values.map((each) => <FigureRow key={each.value} name={<code>{each.value}</code>} of={each} share={of.cost_micros > 0 ? each.cost_micros / of.cost_micros : each.tokens / Math.max(1, of.tokens)} />)}
      </Figures>
    </>
  );
}

function Figures({ caption, head, share, children }: { caption: string; head: string; share?: boolean; children: ReactNode }) {
  return (
    <Card pad={false} className={s.tableCard}>
      <table className={s.table}>
        <caption className="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{head}</th>
            <th scope="col">Cost</th>
            {share && <th scope="col" className={s.wide}>Share</th>}
            <th scope="col" className={s.wide}>Tokens</th>
            <th scope="col">Calls</th>
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </Card>
  );
}

function FigureRow({ name, of, share }: { name: ReactNode; of: Sum; share?: number }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{usd(of.cost_micros)}</td>
      {share !== undefined && (
        <td className={s.wide}><span className={s.share}><span style={{ width: `${Math.min(100, share * 100)}%` }} /></span>{Math.round(share * 100)} %</td>
      )}
      <td className={s.wide}>{whole(of.tokens)}</td>
      <td>{whole(of.calls)}</td>
    </tr>
  );
}

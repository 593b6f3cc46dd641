import { Tooltip } from "@/design";
import { compact, shortDay, usd } from "../figures";
import { type DaySum, scaleEnd } from "./days";
import s from "./spend.module.css";

/** Bars of money a day, or of tokens where nothing cost any; the table below has the figures. */
export function SpendChart({ days }: { days: DaySum[] }) {
  const inMoney = days.some((day) => day.cost_micros > 0);
  const show = (value: number) => (inMoney ? usd(value) : compact(value));
  const value = (day: DaySum) => (inMoney ? day.cost_micros : day.tokens);
  const end = scaleEnd(Math.max(...days.map(value)));
  const every = Math.ceil(days.length / 6);
  const dearest = days.reduce((most, day) => (value(day) > value(most) ? day : most));
  return (
    <figure className={s.chart} aria-label={`${inMoney ? "Money" : "Tokens"} a day; the most was ${show(value(dearest))} on ${shortDay(dearest.day)}`}>
      <div className={s.scale} aria-hidden>
        <span>{show(end)}</span><span>{show(end / 2)}</span><span>{inMoney ? "$0" : "0"}</span>
      </div>
      <div className={s.plot} aria-hidden>
        {days.map((day) => (
          <Tooltip key={day.day} side="top" text={`${shortDay(day.day)}: ${inMoney ? `${usd(day.cost_micros)}, ` : ""}${compact(day.tokens)} tokens, ${day.calls} calls`}>
            <span className={s.slot}><span className={s.barOf} style={{ height: `${(value(day) / end) * 100}%` }} data-none={value(day) === 0 || undefined} /></span>
          </Tooltip>
        ))}
      </div>
      <div className={s.axis} aria-hidden>
        {days.map((day, index) => <AxisSlot key={day.day} day={day.day} nth={(days.length - 1 - index) / every} />)}
      </div>
    </figure>
  );
}

/** Every sixth of the days has its name; where room is short, every third. */
function AxisSlot({ day, nth }: { day: string; nth: number }) {
  return <span>{Number.isInteger(nth) && <span data-minor={nth % 2 === 1 || undefined}>{shortDay(day)}</span>}</span>;
}

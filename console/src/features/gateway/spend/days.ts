import type { SpendDay } from "@/api/schema";
import { utcDay } from "../figures";

export interface Sum {
  cost_micros: number;
  tokens: number;
  calls: number;
}

export function sum(days: readonly Sum[]): Sum {
  return days.reduce<Sum>((all, day) => ({ cost_micros: all.cost_micros + day.cost_micros, tokens: all.tokens + day.tokens, calls: all.calls + day.calls }), { cost_micros: 0, tokens: 0, calls: 0 });
}

export interface DaySum extends Sum {
  day: string;
}

/** Every day up to today, the oldest first, also those without a call. */
export function allDays(days: readonly SpendDay[], length: number, now = Date.now()): DaySum[] {
  return Array.from({ length }, (_, index) => {
    const day = utcDay(length - 1 - index, now);
    return { day, ...sum(days.filter((each) => each.spent_on === day)) };
  });
}

/** Each value of a scope over all days, the dearest first. */
export function byValue(days: readonly SpendDay[]): (Sum & { value: string })[] {
  const values = [...new Set(days.map((day) => day.value))];
  return values
    .map((value) => ({ value, ...sum(days.filter((day) => day.value === value)) }))
    .sort((one, other) => other.cost_micros - one.cost_micros || other.tokens - one.tokens);
}

/** The next round number: a few steps between powers of ten: where the scale of the chart ends. */
export function scaleEnd(most: number): number {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return (([1, 1.5, 2, 3, 4, 5, 6, 8].find((step) => step * power >= most) ?? 10) * power);
}

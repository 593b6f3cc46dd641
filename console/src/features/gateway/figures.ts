/** Money in millionths of USD, token counts and days (UTC) as people read and write them. */

/** Two digits, and more where a cent would hide the amount. */
export function usd(micros: number): string {
  const small = micros !== 0 && Math.abs(micros) < 1_000_000;
  return new Intl.NumberFormat("en", { style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: small ? 4 : 2 }).format(micros / 1e6);
}

/** The price of a million tokens; some are parts of a cent. */
export function price(micros: number): string {
  return new Intl.NumberFormat("en", { style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: 4 }).format(micros / 1e6);
}

export function compact(many: number): string {
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(many);
}

export function whole(many: number): string {
  return many.toLocaleString("en");
}

/** "12.5" as 12500000; null for what is no amount. Digit by digit: a float would miss a millionth. */
export function microsOf(text: string): number | null {
  const match = /^(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text.trim().replaceAll(",", ""));
  return match === null ? null : Number(match[1]) * 1_000_000 + Number((match[2] ?? "").padEnd(6, "0"));
}

/** The reverse of `microsOf`. */
export function dollarsOf(micros: number): string {
  const parts = String(micros % 1_000_000).padStart(6, "0").replace(/0+$/, "");
  return `${Math.floor(micros / 1_000_000)}${parts === "" ? "" : `.${parts}`}`;
}

export function utcDay(back = 0, now = Date.now()): string {
  return new Date(now - back * 86_400_000).toISOString().slice(0, 10);
}

const named = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const shortly = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", timeZone: "UTC" });

/** "Feb 1, 2027": a calendar day is the same wherever it is read. */
export function dayName(day: string): string {
  return named.format(new Date(`${day}T00:00:00Z`));
}

export function shortDay(day: string): string {
  return shortly.format(new Date(`${day}T00:00:00Z`));
}

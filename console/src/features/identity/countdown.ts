import { useEffect, useState } from "react";

/** Whole seconds left until the instant `until` (ms since the epoch); 0 when it is past. */
export function useCountdown(until: number): number {
  const [now, setNow] = useState(() => Date.now());
  const left = Math.max(0, Math.ceil((until - now) / 1000));
  // Synchronizes with the clock, while there is something to count.
  useEffect(() => {
    const tick = () => { setNow(Date.now()); };
    tick();
    if (until <= Date.now()) return;
    const timer = setInterval(tick, 250);
    return () => { clearInterval(timer); };
  }, [until]);
  return left;
}

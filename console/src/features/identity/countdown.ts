import { useEffect, useState } from "react";

/** Whole seconds left of a pause that began when `start` last changed; 0 when there is none. */
export function useCountdown(seconds: number | null, start: number): number {
  const [now, setNow] = useState(() => Date.now());
  const [begin, setBegin] = useState({ start, at: Date.now() });
  if (begin.start !== start) setBegin({ start, at: Date.now() });
  const left = seconds === null ? 0 : Math.max(0, Math.ceil(seconds - (now - begin.at) / 1000));
  // Synchronizes with the clock, while there is something to count.
  useEffect(() => {
    if (seconds === null) return;
    const timer = setInterval(() => { setNow(Date.now()); }, 250);
    return () => { clearInterval(timer); };
  }, [seconds, start]);
  return left;
}

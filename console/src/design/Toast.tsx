/** Short confirmations at the foot of the page, with at most one action such as Undo. */
import { useSyncExternalStore } from "react";
import { Button, IconButton } from "./Button";
import { cx } from "./cx";
import s from "./toast.module.css";

interface ToastEntry {
  key: number;
  text: string;
  tone: "plain" | "critical";
  action?: { label: string; run: () => void } | undefined;
}

let shown: readonly ToastEntry[] = [];
let nextKey = 1;
const listeners = new Set<() => void>();

function change(next: readonly ToastEntry[]): void {
  shown = next;
  for (const listener of listeners) listener();
}

export function toast(text: string, options: { tone?: "plain" | "critical"; action?: { label: string; run: () => void } } = {}): void {
  const key = nextKey++;
  change([...shown.slice(-1), { key, text, tone: options.tone ?? "plain", action: options.action }]);
  setTimeout(() => { dismiss(key); }, options.tone === "critical" ? 9000 : options.action ? 6000 : 3500);
}

function dismiss(key: number): void {
  change(shown.filter((entry) => entry.key !== key));
}

export function Toasts() {
  const entries = useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, () => shown);
  return (
    <div className={s.toasts} role="status" aria-live="polite" aria-label="Notifications">
      {entries.map((entry) => (
        <div key={entry.key} className={cx(s.toast, entry.tone === "critical" && s.critical)}>
          <span>{entry.text}</span>
          {entry.action && (
            <Button size="s" tone="quiet" onClick={() => { entry.action?.run(); dismiss(entry.key); }}>{entry.action.label}</Button>
          )}
          <IconButton size="s" icon="cross" label="Dismiss notification" onClick={() => { dismiss(entry.key); }} />
        </div>
      ))}
    </div>
  );
}

import * as Radix from "@radix-ui/react-tabs";
import type { ReactNode } from "react";
import { cx } from "./cx";
import s from "./tabs.module.css";

export interface TabSpec<T extends string> {
  value: T;
  label: string;
  count?: number;
  /** Seen only where the page has no room for two panes. */
  narrowOnly?: boolean;
  /** Its count is left out where room is short. */
  minor?: boolean;
}

/** Tabs with their panels; the chosen one lives with the caller (mostly in the URL). */
export function Tabs<T extends string>({ tabs, value, onChange, label, children, className }: { tabs: TabSpec<T>[]; value: T; onChange: (value: T) => void; label: string; children: ReactNode; className?: string }) {
  return (
    <Radix.Root value={value} onValueChange={(next) => { onChange(next as T); }} className={cx(s.root, className)}>
      <Radix.List className={s.list} aria-label={label}>
        {tabs.map((tab) => (
          <Radix.Trigger key={tab.value} value={tab.value} className={cx(s.tab, tab.narrowOnly && s.narrowOnly)}>
            {tab.label}
            {tab.count !== undefined && <span className={cx(s.count, tab.minor && s.minor)}>{tab.count}</span>}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {children}
    </Radix.Root>
  );
}

export function TabPanel({ value, children, className }: { value: string; children: ReactNode; className?: string }) {
  return <Radix.Content value={value} className={cx(s.panel, className)} tabIndex={-1}>{children}</Radix.Content>;
}

/** One choice of a few, all in sight. */
export function Segments<T extends string>({ label, value, onChange, options }: { label: string; value: T; onChange: (value: T) => void; options: { value: T; label: string; count?: number }[] }) {
  return (
    <div className={s.segments} role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option.value} type="button" aria-pressed={option.value === value} onClick={() => { onChange(option.value); }}>
          {option.label}
          {option.count !== undefined && <span>{option.count}</span>}
        </button>
      ))}
    </div>
  );
}

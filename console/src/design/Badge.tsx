import type { ReactNode } from "react";
import { cx } from "./cx";
import s from "./badge.module.css";
import { Icon, type IconName } from "./Icon";
import { Tooltip } from "./Tooltip";

export type Tone = "critical" | "high" | "medium" | "low" | "info" | "good" | "accent" | "unverified";
export type SeverityTone = "critical" | "high" | "medium" | "low" | "info";

export const SEVERITIES: readonly SeverityTone[] = ["critical", "high", "medium", "low", "info"];
export const SEVERITY_LABEL: Record<SeverityTone, string> = { critical: "Critical", high: "High", medium: "Medium", low: "Low", info: "Info" };

export function Badge({ tone = "info", icon, children, outline, className }: { tone?: Tone; icon?: IconName; children: ReactNode; outline?: boolean; className?: string }) {
  return (
    <span className={cx(s.badge, s[tone], outline && s.outline, className)}>
      {icon && <Icon name={icon} size={12} />}
      {children}
    </span>
  );
}

/** Colour never speaks alone: the bars grow with the severity and the word stands beside. */
export function SeverityBadge({ severity, short }: { severity: SeverityTone; short?: boolean }) {
  return (
    <span className={cx(s.severity, s[severity])} {...(short ? { role: "img", "aria-label": SEVERITY_LABEL[severity] } : {})}>
      <SeverityBars severity={severity} />
      {!short && SEVERITY_LABEL[severity]}
    </span>
  );
}

function SeverityBars({ severity }: { severity: SeverityTone }) {
  const lit = 5 - SEVERITIES.indexOf(severity);
  return (
    <svg width="15" height="11" viewBox="0 0 15 11" aria-hidden focusable="false">
      {[1, 2, 3, 4, 5].map((bar) => (
        <rect key={bar} x={(bar - 1) * 3.1} y={9 - bar * 1.7} width="2.1" height={2 + bar * 1.7} rx="0.7" fill="currentColor" opacity={bar <= lit ? 1 : 0.24} />
      ))}
    </svg>
  );
}

/** How many findings of each severity, as small counters; zeros are left out. */
export function SeverityCounts({ counts }: { counts: Partial<Record<SeverityTone, number>> }) {
  const present = SEVERITIES.filter((severity) => (counts[severity] ?? 0) > 0);
  const spoken = present.map((severity) => `${counts[severity]} ${SEVERITY_LABEL[severity].toLowerCase()}`).join(", ");
  if (present.length === 0) return <span className={s.none}>none</span>;
  return (
    <span className={s.counts} role="img" aria-label={spoken}>
      {present.map((severity) => (
        <Tooltip key={severity} text={`${counts[severity]} ${SEVERITY_LABEL[severity].toLowerCase()}`} side="top">
          <span className={cx(s.count, s[severity])}>{counts[severity]}</span>
        </Tooltip>
      ))}
    </span>
  );
}

const METHODS: Record<string, { icon: IconName; label: string; hint: string }> = {
  classifier: { icon: "classifier", label: "Classifier", hint: "Found by the trained clause classifier, without a language model" },
  model: { icon: "model", label: "Model", hint: "Found by a language model call with structured output" },
  rule: { icon: "rule", label: "Rule", hint: "Decided by a playbook rule over the text, without a language model" },
  deterministic: { icon: "rule", label: "Deterministic", hint: "Made without a language model" },
};

export function MethodBadge({ method }: { method: string }) {
  const known = METHODS[method] ?? { icon: "rule" as const, label: method, hint: method };
  return (
    <Tooltip text={known.hint} side="top">
      <span className={cx(s.badge, s.method)}>
        <Icon name={known.icon} size={12} />
        {known.label}
      </span>
    </Tooltip>
  );
}

/** A share in [0, 1] as a small meter with its percentage. */
export function Confidence({ value }: { value: number }) {
  const percent = Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <Tooltip text={`Confidence ${percent} %`} side="top">
      <span className={s.confidence}>
        <span className={s.track} aria-hidden><span style={{ width: `${percent}%` }} /></span>
        <span><span className="visually-hidden">confidence </span>{percent} %</span>
      </span>
    </Tooltip>
  );
}

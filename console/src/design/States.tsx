/** What a page shows when it has nothing else to show: loading, empty, failed, denied. */
import type { ReactNode } from "react";
import { asApiError } from "@/api/problem";
import { Button } from "./Button";
import { cx } from "./cx";
import { Icon, type IconName } from "./Icon";
import s from "./states.module.css";

export function Skeleton({ width = "100%", height = 14, className }: { width?: string | number; height?: number; className?: string }) {
  return <span className={cx(s.skeleton, className)} style={{ width, height }} />;
}

/** Stands for content on its way; says so once to screen readers. */
export function Loading({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div role="status" aria-live="polite" aria-busy>
      <span className="visually-hidden">{label}</span>
      <div aria-hidden>{children}</div>
    </div>
  );
}

export function SkeletonLines({ count = 4 }: { count?: number }) {
  return (
    <div className={s.lines}>
      {Array.from({ length: count }, (_, line) => <Skeleton key={line} width={`${92 - ((line * 37) % 41)}%`} />)}
    </div>
  );
}

interface StateProps {
  icon: IconName;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  tone?: "plain" | "critical";
  role?: "alert" | "status";
}

export function State({ icon, title, children, actions, tone = "plain", role }: StateProps) {
  return (
    <div className={s.state} role={role}>
      <span className={cx(s.glyph, tone === "critical" && s.glyphCritical)}><Icon name={icon} size={20} /></span>
      <h2>{title}</h2>
      {children && <div className={s.text}>{children}</div>}
      {actions && <div className={s.actions}>{actions}</div>}
    </div>
  );
}

/** Any failure: a refusal reads as denied, the rest as an error with a way to try again. */
export function Failure({ error, onRetry, what }: { error: unknown; onRetry?: () => void; what: string }) {
  const problem = asApiError(error);
  if (problem.isDenied) return <Denied reason={problem.message} />;
  return (
    <State
      icon="warning"
      tone="critical"
      role="alert"
      title={problem.status === 404 ? `${what} was not found` : `${what} could not be loaded`}
      actions={onRetry && <Button icon="refresh" onClick={onRetry}>Try again</Button>}
    >
      <p>{problem.message}</p>
      {problem.requestId && <p className={s.request}>Request {problem.requestId}</p>}
    </State>
  );
}

export function Denied({ reason }: { reason: string }) {
  return (
    <State icon="lock" title="Not for your role" role="alert">
      <p>{reason}</p>
    </State>
  );
}

/** A failure beside a form or a list, in one or two lines. */
export function Notice({ tone = "info", title, children, action }: { tone?: "info" | "critical" | "good" | "medium" | "unverified"; title?: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className={cx(s.notice, s[tone])} role={tone === "critical" ? "alert" : "note"}>
      <Icon name={tone === "good" ? "check" : tone === "info" ? "help" : "warning"} size={16} />
      <div className={s.noticeText}>
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
      </div>
      {action}
    </div>
  );
}

/** Spacing and type as typed parts, so that pages carry no measures of their own. */
import type { CSSProperties, ElementType, ReactNode } from "react";
import { cx } from "./cx";
import s from "./layout.module.css";

type Step = 1 | 2 | 3 | 4 | 5 | 6 | 8 | 10;
interface Flow {
  gap?: Step;
  align?: CSSProperties["alignItems"];
  justify?: CSSProperties["justifyContent"];
  wrap?: boolean;
  as?: ElementType;
  className?: string;
  children: ReactNode;
  grow?: boolean;
}

export function Stack({ gap = 3, align, justify, as: Tag = "div", className, children, grow }: Flow) {
  return <Tag className={cx(s.stack, grow && s.grow, className)} style={{ gap: `var(--s${gap})`, alignItems: align, justifyContent: justify }}>{children}</Tag>;
}

export function Row({ gap = 2, align = "center", justify, wrap, as: Tag = "div", className, children, grow }: Flow) {
  return (
    <Tag className={cx(s.row, wrap && s.wrap, grow && s.grow, className)} style={{ gap: `var(--s${gap})`, alignItems: align, justifyContent: justify }}>
      {children}
    </Tag>
  );
}

interface TextProps {
  size?: "xs" | "s" | "m" | "l" | "xl" | "2xl";
  tone?: "ink" | "soft" | "faint" | "critical" | "good";
  strong?: boolean;
  mono?: boolean;
  truncate?: boolean;
  as?: ElementType;
  id?: string;
  title?: string;
  className?: string;
  children: ReactNode;
}

export function Text({ size = "m", tone = "ink", strong, mono, truncate, as: Tag = "span", className, children, ...rest }: TextProps) {
  return (
    <Tag {...rest} className={cx(s[`t-${size}`], s[tone], strong && s.strong, mono && s.mono, truncate && s.truncate, className)}>
      {children}
    </Tag>
  );
}

export function Card({ children, className, pad = true, as: Tag = "section", label }: { children: ReactNode; className?: string; pad?: boolean; as?: ElementType; label?: string }) {
  return <Tag aria-label={label} className={cx(s.card, pad && s.pad, className)}>{children}</Tag>;
}

export function PageHead({ title, lead, children }: { title: string; lead?: ReactNode; children?: ReactNode }) {
  return (
    <header className={s.pageHead}>
      <div>
        <h1>{title}</h1>
        {lead && <p>{lead}</p>}
      </div>
      {children && <div className={s.pageActions}>{children}</div>}
    </header>
  );
}

export function Page({ children, narrow }: { children: ReactNode; narrow?: boolean }) {
  return <div className={cx(s.page, narrow && s.narrow)}>{children}</div>;
}

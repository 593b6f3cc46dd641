import type { ButtonHTMLAttributes, Ref } from "react";
import s from "./button.module.css";
import { cx } from "./cx";
import { Icon, type IconName } from "./Icon";
import { Tooltip } from "./Tooltip";

interface Look {
  tone?: "plain" | "primary" | "quiet" | "danger";
  size?: "s" | "m";
  icon?: IconName;
  busy?: boolean;
  /** Says why it may not be pressed; the button then stays focusable so that the reason can be read. */
  denied?: string | undefined;
}
type Native = ButtonHTMLAttributes<HTMLButtonElement> & { ref?: Ref<HTMLButtonElement> };

export function Button({ tone = "plain", size = "m", icon, busy, denied, children, className, onClick, type = "button", ...rest }: Look & Native) {
  const off = busy === true || denied !== undefined;
  const button = (
    <button
      {...rest}
      type={type}
      className={cx(s.button, s[tone], s[size], className)}
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      onClick={off ? (event) => { event.preventDefault(); } : onClick}
    >
      {busy ? <Spinner /> : icon && <Icon name={icon} size={size === "s" ? 14 : 16} />}
      {children}
    </button>
  );
  return denied === undefined ? button : <Tooltip text={denied}>{button}</Tooltip>;
}

export function IconButton({ label, icon, tone = "quiet", size = "m", className, hint, ...rest }: Omit<Look, "icon"> & Native & { label: string; icon: IconName; hint?: string }) {
  return (
    <Tooltip text={hint ?? label}>
      <Button {...rest} tone={tone} size={size} icon={icon} aria-label={label} className={cx(s.square, className)} />
    </Tooltip>
  );
}

/** The class of a button for links that look like one. */
export function buttonClass(tone: NonNullable<Look["tone"]> = "plain", size: NonNullable<Look["size"]> = "m"): string {
  return cx(s.button, s[tone], s[size]);
}

export function Spinner({ label }: { label?: string }) {
  return <span className={s.spinner} {...(label === undefined ? { "aria-hidden": true } : { role: "status", "aria-label": label })} />;
}

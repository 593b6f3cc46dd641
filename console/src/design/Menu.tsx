import * as Radix from "@radix-ui/react-dropdown-menu";
import type { ReactElement, ReactNode } from "react";
import { cx } from "./cx";
import { Icon, type IconName } from "./Icon";
import s from "./overlay.module.css";

/** A menu under its trigger. Not modal: it leaves the page scrollable and injects no styles. */
export function Menu({ trigger, children, align = "end" }: { trigger: ReactElement; children: ReactNode; align?: "start" | "end" }) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content className={s.menu} align={align} sideOffset={5} collisionPadding={8}>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface Item {
  icon?: IconName;
  children: ReactNode;
  onSelect?: () => void;
  href?: string;
  download?: boolean;
  danger?: boolean;
  hint?: string | undefined;
  disabled?: boolean;
}

export function MenuItem({ icon, children, onSelect, href, download, danger, hint, disabled }: Item) {
  const inside = (
    <>
      <span className={s.itemIcon}>{icon && <Icon name={icon} size={15} />}</span>
      <span>
        {children}
        {hint && <small className={s.itemHint}>{hint}</small>}
      </span>
    </>
  );
  return (
    <Radix.Item className={cx(s.item, danger && s.itemDanger)} onSelect={onSelect} disabled={disabled} asChild={href !== undefined}>
      {href === undefined ? inside : <a href={href} download={download}>{inside}</a>}
    </Radix.Item>
  );
}

export function MenuChoice<T extends string>({ value, onChange, options }: { value: T; onChange: (value: T) => void; options: { value: T; label: string; icon?: IconName }[] }) {
  return (
    <Radix.RadioGroup value={value} onValueChange={(next) => { onChange(next as T); }}>
      {options.map((option) => (
        <Radix.RadioItem key={option.value} value={option.value} className={s.item}>
          <span className={s.itemIcon}>
            {option.value === value ? <Icon name="check" size={15} /> : option.icon && <Icon name={option.icon} size={15} />}
          </span>
          {option.label}
        </Radix.RadioItem>
      ))}
    </Radix.RadioGroup>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <Radix.Label className={s.menuLabel}>{children}</Radix.Label>;
}

export function MenuLine() {
  return <Radix.Separator className={s.menuLine} />;
}

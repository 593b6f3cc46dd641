import { type InputHTMLAttributes, type ReactElement, type Ref, type SelectHTMLAttributes, type TextareaHTMLAttributes, cloneElement, useId } from "react";
import { cx } from "./cx";
import s from "./field.module.css";
import { Icon } from "./Icon";
import { Tooltip } from "./Tooltip";

interface Wrapped {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  children: ReactElement<{ id?: string; "aria-describedby"?: string; "aria-invalid"?: boolean }>;
}

/** A labelled control with its hint and its error tied to it. */
export function Field({ label, hint, error, children }: Wrapped) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div className={s.field}>
      <label htmlFor={id}>{label}</label>
      {cloneElement(children, { id, "aria-describedby": note ? `${id}-note` : undefined, "aria-invalid": error !== undefined || undefined })}
      {note && <p id={`${id}-note`} className={cx(s.note, error !== undefined && s.error)}>{note}</p>}
    </div>
  );
}

export function Input({ className, ...rest }: InputHTMLAttributes<HTMLInputElement> & { ref?: Ref<HTMLInputElement> }) {
  return <input {...rest} className={cx(s.input, className)} />;
}

export function Textarea({ className, ...rest }: TextareaHTMLAttributes<HTMLTextAreaElement> & { ref?: Ref<HTMLTextAreaElement> }) {
  return <textarea {...rest} className={cx(s.input, s.area, className)} />;
}

export function Select({ className, children, ...rest }: SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <span className={cx(s.select, className)}>
      <select {...rest} className={s.input}>{children}</select>
      <Icon name="down" size={14} />
    </span>
  );
}

/** A search box that the "/" key reaches by its id. */
export function SearchBox({ label, value, onChange, placeholder, id = "search" }: { label: string; value: string; onChange: (value: string) => void; placeholder?: string; id?: string }) {
  return (
    <span className={s.search}>
      <Icon name="search" size={15} />
      <input
        id={id}
        type="search"
        className={s.input}
        aria-label={label}
        aria-keyshortcuts="/"
        placeholder={placeholder}
        value={value}
        onChange={(event) => { onChange(event.target.value); }}
        onKeyDown={(event) => { if (event.key === "Escape") event.currentTarget.blur(); }}
      />
      <kbd aria-hidden>/</kbd>
    </span>
  );
}

export function Switch({ label, checked, onChange, denied, busy }: { label: string; checked: boolean; onChange: (on: boolean) => void; denied?: string | undefined; busy?: boolean }) {
  const off = denied !== undefined || busy === true;
  const control = (
    <button
      type="button"
      role="switch"
      aria-checked={checked}
      aria-label={label}
      aria-disabled={off || undefined}
      className={s.switch}
      onClick={() => { if (!off) onChange(!checked); }}
    >
      <span />
    </button>
  );
  return denied === undefined ? control : <Tooltip text={denied}>{control}</Tooltip>;
}

import { type ReactNode, useEffect, useId, useRef } from "react";
import { IconButton } from "./Button";
import { cx } from "./cx";
import s from "./overlay.module.css";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
  wide?: boolean;
}

/** A modal dialog on the native element, which traps focus, closes on Escape and returns focus by itself. Mount to open. */
export function Dialog({ title, onClose, children, wide }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // Synchronizes with the browser's top layer, which only showModal reaches.
  useEffect(() => {
    const dialog = ref.current;
    if (dialog === null || dialog.open) return;
    dialog.showModal();
    // By itself it would focus the first button, which closes it.
    dialog.querySelector<HTMLElement>("input, textarea, select")?.focus();
  }, []);
  return (
    // The click on the backdrop is a convenience beside Escape and the close button.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
    <dialog
      ref={ref}
      className={cx(s.dialog, wide && s.dialogWide)}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      <div className={s.dialogBody}>
        <header className={s.dialogHead}>
          <h2 id={heading}>{title}</h2>
          <IconButton icon="cross" label="Close" onClick={onClose} size="s" />
        </header>
        {children}
      </div>
    </dialog>
  );
}

export function DialogActions({ children }: { children: ReactNode }) {
  return <footer className={s.dialogActions}>{children}</footer>;
}

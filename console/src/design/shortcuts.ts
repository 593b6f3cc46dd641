/** Single keys for the whole page, silent while someone types or a dialog is open. */
import { useEffect, useEffectEvent } from "react";

export type Shortcuts = Record<string, (event: KeyboardEvent) => void>;

export function useShortcuts(shortcuts: Shortcuts): void {
  const handle = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open], [role=menu]") !== null) return;
    const run = shortcuts[event.key];
    if (run === undefined) return;
    event.preventDefault();
    run(event);
  });
  // Synchronizes with the keyboard of the window.
  useEffect(() => {
    const listener = (event: KeyboardEvent) => { handle(event); };
    addEventListener("keydown", listener);
    return () => { removeEventListener("keydown", listener); };
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Puts the cursor into the page's search box. */
export function focusSearch(): void {
  const box = document.getElementById("search");
  if (box instanceof HTMLInputElement) {
    box.focus();
    box.select();
  }
}

import type { ReactNode } from "react";
import { Icon } from "@/design";
import s from "./panels.module.css";

/** The small local model's own words, set apart: they are neither checked nor findings. */
export function ModelText({ text, model }: { text: ReactNode; model?: string | undefined }) {
  return (
    <aside className={s.unverified} aria-label="Unverified text of the local model">
      <header>
        <Icon name="warning" size={15} />
        <strong>Unverified, written by the local model</strong>
        {model !== undefined && <code>{model}</code>}
      </header>
      <p>{text}</p>
      <footer>A small model&rsquo;s own words. Nothing here was checked against the contract, and none of it is used as a finding.</footer>
    </aside>
  );
}

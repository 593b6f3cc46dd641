import { type ReactNode, useState } from "react";
import { Button } from "./Button";
import { Dialog, DialogActions } from "./Dialog";
import { Notice } from "./States";
import s from "./secret.module.css";

/** Shows a secret the only time it can be seen. It lives in this component's props and nowhere else. */
export function SecretDialog({ title, label, secret, onClose, children }: { title: string; label: string; secret: string; onClose: () => void; children: ReactNode }) {
  const [copied, setCopied] = useState<"no" | "yes" | "barred">("no");
  async function copy() {
    try {
      await navigator.clipboard.writeText(secret);
      setCopied("yes");
    } catch {
      setCopied("barred");
    }
  }
  return (
    <Dialog title={title} onClose={onClose} wide>
      <Notice tone="medium" title="Shown this once">{children}</Notice>
      <div className={s.secret}>
        <code aria-label={label} data-testid="secret">{secret}</code>
        <Button icon={copied === "yes" ? "check" : "copy"} onClick={() => void copy()}>{copied === "yes" ? "Copied" : "Copy"}</Button>
      </div>
      {copied === "barred" && <Notice tone="critical">The browser did not allow copying. Select the text and copy it yourself.</Notice>}
      <DialogActions>
        <Button tone="primary" onClick={onClose}>I have stored it</Button>
      </DialogActions>
    </Dialog>
  );
}

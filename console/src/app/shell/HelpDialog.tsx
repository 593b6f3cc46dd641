import { Dialog } from "@/design";
import s from "./shell.module.css";

const GROUPS: { title: string; keys: [string[], string][] }[] = [
  {
    title: "Report",
    keys: [
      [["j"], "Next finding"],
      [["k"], "Previous finding"],
      [["a"], "Accept the finding"],
      [["d"], "Dismiss it, with a reason"],
      [["e"], "Edit it, with a reason"],
      [["u"], "Undo the decision"],
      [["t"], "Show its place in the text"],
    ],
  },
  {
    title: "Everywhere",
    keys: [
      [["/"], "Search"],
      [["g"], "Go to the contracts"],
      [["Enter"], "Ask, in a conversation; Shift Enter makes a new line"],
      [["?"], "This help"],
      [["Esc"], "Close, or leave a field"],
    ],
  },
];

export function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose} wide>
      <div className={s.help}>
        {GROUPS.map((group) => (
          <section key={group.title} aria-label={group.title}>
            <h3>{group.title}</h3>
            <dl>
              {group.keys.map(([keys, meaning]) => (
                <div key={meaning}>
                  <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p className={s.helpNote}>
        The API behind this console is described at <a href="/docs">/docs</a>. Findings come from a trained classifier, from
        playbook rules or from a model; each says which.
      </p>
    </Dialog>
  );
}

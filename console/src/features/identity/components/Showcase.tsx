import { Confidence, MethodBadge, SeverityBadge } from "@/design";
import s from "./showcase.module.css";

/** A glimpse of the product beside the sign-in: a clause, its highlight, and the finding that points at it. */
export function Showcase() {
  return (
    <aside className={s.showcase} aria-hidden inert>
      <p className={s.claim}>Every claim points at its place in the text.</p>
      <div className={s.scene}>
        <div className={s.sheet}>
          <h4><span>9.</span> Limitation of Liability</h4>
          <p>
            <span>9.1</span>In no event shall Provider&rsquo;s aggregate liability exceed{" "}
            <mark>the fees paid by Customer in the three (3) months preceding the claim</mark>, whether in contract, tort or otherwise.
          </p>
          <p><span>9.2</span>The foregoing limits do not apply to Customer&rsquo;s obligations under Sections 3 and 8.</p>
          <h4><span>10.</span> Assignment</h4>
          <p><span>10.1</span>Provider may assign this Agreement, in whole or in part, without consent.</p>
        </div>
        <div className={s.finding}>
          <header>
            <SeverityBadge severity="critical" />
            <small>&sect;&thinsp;9.1, page 6</small>
          </header>
          <strong>Liability is capped at three months of fees</strong>
          <p>The playbook asks for at least twelve.</p>
          <footer>
            <MethodBadge method="rule" />
            <Confidence value={0.97} />
          </footer>
        </div>
      </div>
    </aside>
  );
}

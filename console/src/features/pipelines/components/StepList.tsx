import { count, cx, duration, Icon, Spinner, when } from "@/design";
import type { StepView } from "../runState";
import s from "../run.module.css";

interface Props {
  steps: readonly StepView[];
  now: number;
  /** Where steps can be looked into: which one is, and what a click on another asks for. */
  chosen?: string | undefined;
  onChoose?: (name: string) => void;
}

/** The steps of a run, one under the other, each with what it says and how long it took. */
export function StepList({ steps, now, chosen, onChoose }: Props) {
  return (
    <ol className={s.steps} aria-label="Steps">
      {steps.map((step) => (
        <li key={step.name} className={cx(s.step, s[step.status])} aria-current={step.status === "running" ? "step" : undefined} data-step={step.name} data-status={step.status}>
          <span className={s.bullet}><StepGlyph step={step} /></span>
          <div className={s.stepBody}>
            <div className={s.stepHead}>
              {onChoose === undefined ? <strong>{step.title}</strong> : <button type="button" className={s.choose} aria-pressed={chosen === step.name} onClick={() => { onChoose(step.name); }}>{step.title}</button>}
              <span className="visually-hidden">{SPOKEN[step.status]}</span>
              <span className={s.time}>{timeOf(step, now)}</span>
            </div>
            {saysMore(step) && <p>{step.text}</p>}
            {step.isCompensation && <p>Undoes a step that had been done</p>}
            {step.status === "suspended" && step.awaited !== null && <p className={s.awaits}>{waitWords(step.awaited)}{step.until !== null && <>, until <time dateTime={step.until}>{when(step.until)}</time></>}</p>}
            {step.items !== null && <p>{itemWords(step.items)}</p>}
            {step.attempt > 1 && step.status !== "succeeded" && <p className={s.attempt}>Attempt {step.attempt}</p>}
            {step.progress && <progress className={s.progress} max={step.progress.total} value={step.progress.done} aria-label={`${step.title}: ${step.progress.done} of ${step.progress.total}`} />}
          </div>
        </li>
      ))}
    </ol>
  );
}

const SPOKEN: Record<StepView["status"], string> = { waiting: "waiting", ready: "about to start", running: "running", suspended: "waiting for something", gathering: "running its items", succeeded: "done", failed: "failed", cancelled: "cancelled" };

/** What a suspended step waits for. */
export function waitWords(awaited: string): string {
  if (awaited === "time") return "Waits for its time";
  if (awaited.startsWith("signal:approval:")) return "Waits for a person to decide";
  if (awaited.startsWith("signal:")) return `Waits for the signal ${awaited.slice("signal:".length)}`;
  return awaited.startsWith("run") ? "Waits for a run that it started" : "Waits";
}

function itemWords({ total, done, failed }: NonNullable<StepView["items"]>): string {
  return `${done} of ${count(total, "item")}${failed === 0 ? "" : `, ${failed} failed`}`;
}

/** Whether its words say more than its title and its figures. */
function saysMore({ text, title, items, awaited }: StepView): boolean {
  return text !== null && text !== title && text !== `Undo: ${title}` && awaited === null && !(items !== null && /^\d+ of \d+$/.test(text));
}

function StepGlyph({ step }: { step: StepView }) {
  switch (step.status) {
    case "running":
    case "gathering":
      return <Spinner />;
    case "suspended":
      return <Icon name="pause" size={12} />;
    case "succeeded":
      return <Icon name="check" size={13} />;
    case "failed":
      return <Icon name="cross" size={13} />;
    case "cancelled":
      return <Icon name="stop" size={11} />;
    case "ready":
      return step.attempt > 1 ? <Icon name="refresh" size={12} /> : null;
    case "waiting":
      return null;
  }
}

function timeOf(step: StepView, now: number): string {
  if (step.startedAt === null) return "";
  const end = step.finishedAt === null ? (step.status === "running" ? now : null) : Date.parse(step.finishedAt);
  return end === null ? "" : duration(end - Date.parse(step.startedAt));
}

import { cx, duration, Icon, Spinner } from "@/design";
import type { StepView } from "../runState";
import s from "../run.module.css";

/** The steps of a run, one under the other, each with what it says and how long it took. */
export function StepList({ steps, now }: { steps: readonly StepView[]; now: number }) {
  return (
    <ol className={s.steps} aria-label="Steps">
      {steps.map((step) => (
        <li key={step.name} className={cx(s.step, s[step.status])} aria-current={step.status === "running" ? "step" : undefined} data-step={step.name} data-status={step.status}>
          <span className={s.bullet}><StepGlyph step={step} /></span>
          <div className={s.stepBody}>
            <div className={s.stepHead}>
              <strong>{step.title}</strong>
              <span className="visually-hidden">{SPOKEN[step.status]}</span>
              <span className={s.time}>{timeOf(step, now)}</span>
            </div>
            {step.text !== null && step.text !== step.title && <p>{step.text}</p>}
            {step.attempt > 1 && step.status !== "succeeded" && <p className={s.attempt}>Attempt {step.attempt}</p>}
            {step.progress && <progress className={s.progress} max={step.progress.total} value={step.progress.done} aria-label={`${step.title}: ${step.progress.done} of ${step.progress.total}`} />}
          </div>
        </li>
      ))}
    </ol>
  );
}

const SPOKEN: Record<StepView["status"], string> = { waiting: "waiting", ready: "about to start", running: "running", succeeded: "done", failed: "failed", cancelled: "cancelled" };

function StepGlyph({ step }: { step: StepView }) {
  switch (step.status) {
    case "running":
      return <Spinner />;
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

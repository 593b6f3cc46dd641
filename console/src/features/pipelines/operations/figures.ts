/** The platform's figures, read from the text that Prometheus reads: what each lane holds and how fast it goes. */

export interface Lane {
  pipeline: string;
  version: string;
  step: string;
  ready: number;
  running: number;
  suspended: number;
  retrying: number;
  oldestSeconds: number;
  isHeld: boolean;
  /** Each second, over the last minute; null when no worker has told. */
  finishedPerSecond: number | null;
  failedPerSecond: number | null;
  meanSeconds: number | null;
}
export interface Figures {
  lanes: Lane[];
  workers: number;
  placesTaken: number;
  places: number;
}
interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const SAMPLE = /^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

function samplesOf(text: string): Sample[] {
  return text.split("\n").flatMap((line) => {
    const match = SAMPLE.exec(line);
    if (match === null) return [];
    const labels = Object.fromEntries([...(match[2] ?? "").matchAll(LABEL)].map(([, name = "", value = ""]) => [name, value.replace(/\\(.)/g, "$1")]));
    return [{ name: match[1] ?? "", labels, value: Number(match[3]) }];
  });
}

export function readFigures(text: string): Figures {
  const samples = samplesOf(text);
  const single = (name: string) => samples.find((sample) => sample.name === `mainspring_${name}`)?.value ?? 0;
  const places = new Map<string, Sample["labels"]>();
  for (const { name, labels } of samples) if (name === "mainspring_steps_ready") places.set(keyOf(labels), labels);
  const values = new Map(samples.map(({ name, labels, value }) => [`${name}|${keyOf(labels)}`, value]));
  const lanes = [...places].map(([key, labels]) => {
    const of = (name: string) => values.get(`mainspring_${name}|${key}`) ?? null;
    return {
      pipeline: labels.pipeline ?? "",
      version: labels.version ?? "",
      step: labels.step ?? "",
      ready: of("steps_ready") ?? 0,
      running: of("steps_running") ?? 0,
      suspended: of("steps_suspended") ?? 0,
      retrying: of("steps_retrying") ?? 0,
      oldestSeconds: of("oldest_ready_seconds") ?? 0,
      isHeld: of("lane_held") === 1,
      finishedPerSecond: of("steps_finished_per_second"),
      failedPerSecond: of("steps_failed_per_second"),
      meanSeconds: of("step_mean_seconds"),
    };
  });
  return { lanes, workers: single("workers"), placesTaken: single("places_taken"), places: single("places") };
}

const keyOf = ({ pipeline, version, step }: Record<string, string>) => `${pipeline}@${version}/${step}`;

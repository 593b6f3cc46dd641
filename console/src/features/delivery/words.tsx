import { ago, Badge, count } from "@/design";
import type { DeliveryState, Endpoint, Format } from "./shapes";

export const FORMATS: { value: Format; label: string }[] = [
  { value: "standard-webhooks", label: "Standard Webhooks" },
  { value: "cloudevents", label: "CloudEvents, structured" },
  { value: "cloudevents-binary", label: "CloudEvents, binary" },
  { value: "plain", label: "The data alone" },
];

/** Posted to are addresses of this host that callers named, such as webhooks of agents' runs; it asks for no events. */
export const isDirect = ({ topics }: Pick<Endpoint, "topics">) => topics.length === 0;

/** Which events it is sent. */
export function topicWords({ topics }: Endpoint): string[] {
  return topics.length === 0 ? ["addresses that callers named"] : topics.map((topic) => (topic === "*" ? "every event" : topic));
}

export function EndpointBadge({ endpoint: { state, health } }: { endpoint: Endpoint }) {
  if (state === "off") return <Badge tone="info" icon="stop">Off</Badge>;
  if (state === "failed") return <Badge tone="critical" icon="warning">Turned off: it failed for days</Badge>;
  if (state === "gone") return <Badge tone="critical" icon="warning">Turned off: it said it is gone</Badge>;
  return health.failures > 0 ? <Badge tone="medium" icon="warning">On, failing</Badge> : <Badge tone="good" icon="check">On</Badge>;
}

/** "98 % of 40 attempts in 24 hours", and since when it fails. */
export function healthWords({ health }: Endpoint): string {
  const since = health.failing_since === null ? "" : `; failing since ${ago(health.failing_since)}`;
  if (health.success_rate === null) return `No attempt in the last 24 hours${since}`;
  return `${Math.floor(health.success_rate * 100)} % of ${count(health.attempts, "attempt")} taken in the last 24 hours${since}`;
}

const STATES: Record<DeliveryState, { label: string; tone: "accent" | "good" | "critical" | "info"; icon: "clock" | "check" | "warning" | "pause" }> = {
  pending: { label: "On its way", tone: "accent", icon: "clock" },
  held: { label: "Held", tone: "info", icon: "pause" },
  delivered: { label: "Taken", tone: "good", icon: "check" },
  failed: { label: "Failed", tone: "critical", icon: "warning" },
};
export const DELIVERY_STATES = Object.entries(STATES).map(([value, { label }]) => ({ value: value as DeliveryState, label }));

export function DeliveryBadge({ state }: { state: DeliveryState }) {
  const { label, tone, icon } = STATES[state];
  return <Badge tone={tone} icon={icon}>{label}</Badge>;
}

import { useSession } from "@/api/session";
import { Badge, type IconName } from "@/design";
import type { ApprovalState } from "./shapes";

const STATES: Record<ApprovalState, { label: string; tone: "accent" | "good" | "critical" | "info" | "medium"; icon: IconName }> = {
  pending: { label: "Waits for a decision", tone: "accent", icon: "clock" },
  approved: { label: "Approved", tone: "good", icon: "check" },
  rejected: { label: "Rejected", tone: "critical", icon: "cross" },
  expired: { label: "Expired", tone: "medium", icon: "clock" },
  withdrawn: { label: "Withdrawn", tone: "info", icon: "undo" },
  voided: { label: "Void: replaced by another", tone: "info", icon: "refresh" },
  consumed: { label: "Approved and done", tone: "good", icon: "check" },
};
export const STATE_WORDS = Object.entries(STATES).map(([value, { label }]) => ({ value: value as ApprovalState, label }));

export function StateBadge({ state }: { state: ApprovalState }) {
  const { label, tone, icon } = STATES[state];
  return <Badge tone={tone} icon={icon}>{label}</Badge>;
}

/** "role:reviewer" as "anyone who is reviewer", "user:usr_..." as a name where it is known. */
export function useHands(names: ReadonlyMap<string, string> = new Map()): (hand: string) => string {
  const session = useSession();
  return (hand) => {
    const [kind = "", name = hand] = hand.split(/:(.*)/s);
    if (hand === `user:${session.user?.id}`) return "you";
    if (kind === "role") return `every ${name}`;
    if (kind === "user") return names.get(name) ?? name;
    return kind === "agent" ? `the agent ${name}` : kind === "key" ? `the key ${name}` : hand;
  };
}

import { useSession } from "@/api/session";

/** Who did something, as people say it: ids are all that is recorded. */
export function useActor(id: string | null, unknown = "someone else"): string {
  const session = useSession();
  if (id === null) return unknown;
  if (id === session.user?.id) return "you";
  return id === "operator" ? "the operator" : id;
}

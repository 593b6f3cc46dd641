/** Who may read, as subjects ("role:admin", "team:...", "user:...") and as people say it. */
import { useQuery } from "@tanstack/react-query";
import type { RoleName } from "@/api/schema";
import { useAllowance } from "@/api/session";
import { words } from "@/design";
import { peopleQuery, teamsQuery } from "./queries";

const ROLES: readonly RoleName[] = ["owner", "admin", "reviewer", "analyst", "viewer"];

export interface Subject {
  id: string;
  name: string;
}
export interface Subjects {
  roles: Subject[];
  teams: Subject[];
  people: Subject[];
}

/** Everyone who can be named; teams and people only for who may see members. */
export function useSubjects(): Subjects {
  const { allowed } = useAllowance("member.view");
  const teams = useQuery({ ...teamsQuery, enabled: allowed });
  const people = useQuery({ ...peopleQuery, enabled: allowed });
  return {
    roles: ROLES.map((role) => ({ id: `role:${role}`, name: `${words(role)}s` })),
    teams: (teams.data ?? []).map(({ id, name }) => ({ id: `team:${id}`, name })),
    people: (people.data ?? []).map(({ user }) => ({ id: `user:${user.id}`, name: user.name === "" ? user.email : user.name })),
  };
}

/** "Everybody", "Nobody", "Admins, Legal". */
export function spokenReaders(readers: readonly string[] | null, { roles, teams, people }: Subjects): string {
  if (readers === null) return "Everybody";
  if (readers.length === 0) return "Nobody";
  const names = new Map([...roles, ...teams, ...people].map(({ id, name }) => [id, name]));
  return readers.map((id) => names.get(id) ?? unnamed(id)).join(", ");
}

export function unnamed(subject: string): string {
  const [kind = "", id = ""] = subject.split(":", 2);
  const whose: Record<string, string> = { team: "A team", user: "A person", key: "An API key" };
  return whose[kind] === undefined ? words(id) : `${whose[kind]} (…${id.slice(-6)})`;
}

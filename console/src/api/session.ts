/** Who is signed in and what they may do; every feature asks here. */
import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { http, rememberCsrfToken, unwrap } from "./client";
import { ApiError } from "./problem";
import type { Permission, Session } from "./schema";

/** The session, or null when nobody is signed in. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  staleTime: 60_000,
  queryFn: async (): Promise<Session | null> => {
    try {
      const session = await unwrap(http.GET("/v1/session"));
      rememberCsrfToken(session.csrf_token);
      return session;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
});

/** Inside the signed-in part of the console only: its routes load the session first. */
export function useSession(): Session {
  const { data } = useSuspenseQuery(sessionQuery);
  if (data === null) throw new ApiError({ status: 401, title: "Signed out", detail: "Sign in again to go on." });
  return data;
}

export interface Allowance {
  allowed: boolean;
  /** Why not, in words for a tooltip; undefined when allowed. */
  reason: string | undefined;
}

export function useAllowance(permission: Permission): Allowance {
  const session = useSession();
  return allowance(session, permission);
}

export function allowance(session: Session, permission: Permission): Allowance {
  if (session.permissions.includes(permission)) return { allowed: true, reason: undefined };
  const role = session.role === null ? "This key" : `Your role (${session.role})`;
  return { allowed: false, reason: `${role} lacks the permission ${permission}. Ask an owner or admin of ${session.tenant.name}.` };
}

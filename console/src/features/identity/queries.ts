/** Server data of identity: the session's making, the tenant, its members and its API keys. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { http, rememberCsrfToken, unwrap } from "@/api/client";
import type { Permission, RoleName } from "@/api/schema";
import { sessionQuery } from "@/api/session";

export function useSignIn() {
  return useMutation({
    mutationFn: async (body: { email: string; password: string; tenant?: string | undefined }) => {
      const session = await unwrap(http.POST("/v1/session", { body }));
      rememberCsrfToken(session.csrf_token);
      return session;
    },
  });
}

export const tenantQuery = queryOptions({
  queryKey: ["tenant"],
  queryFn: ({ signal }) => unwrap(http.GET("/v1/tenant", { signal })),
});

export function useChangeTenant() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: { name?: string; ai_enabled?: boolean }) => unwrap(http.PATCH("/v1/tenant", { body })),
    onSuccess: (tenant) => {
      queryClient.setQueryData(tenantQuery.queryKey, tenant);
      return queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey });
    },
  });
}

export const membersQuery = queryOptions({
  queryKey: ["members"],
  queryFn: ({ signal }) => allPages((cursor) => unwrap(http.GET("/v1/members", { params: { query: { limit: 200, cursor } }, signal }))),
});

export function useMemberChanges() {
  const queryClient = useQueryClient();
  const onSuccess = () => queryClient.invalidateQueries({ queryKey: membersQuery.queryKey });
  const add = useMutation({
    mutationFn: (body: { email: string; name: string; role: RoleName }) => unwrap(http.POST("/v1/members", { body })),
    onSuccess,
  });
  const setRole = useMutation({
    mutationFn: ({ id, role }: { id: string; role: RoleName }) => unwrap(http.PATCH("/v1/members/{member_id}", { params: { path: { member_id: id } }, body: { role } })),
    onSuccess,
  });
  const remove = useMutation({
    mutationFn: (id: string) => unwrap(http.DELETE("/v1/members/{member_id}", { params: { path: { member_id: id } } })),
    onSuccess,
  });
  return { add, setRole, remove };
}

export const rolesQuery = queryOptions({
  queryKey: ["roles"],
  staleTime: Infinity,
  queryFn: ({ signal }) => unwrap(http.GET("/v1/roles", { signal })),
});

export const keysQuery = queryOptions({
  queryKey: ["api-keys"],
  queryFn: ({ signal }) => allPages((cursor) => unwrap(http.GET("/v1/api-keys", { params: { query: { limit: 200, cursor } }, signal }))),
});

export function useKeyChanges() {
  const queryClient = useQueryClient();
  const onSuccess = () => queryClient.invalidateQueries({ queryKey: keysQuery.queryKey });
  const create = useMutation({
    mutationFn: (body: { name: string; scopes: Permission[]; expires_at?: string }) => unwrap(http.POST("/v1/api-keys", { body })),
    onSuccess,
  });
  const revoke = useMutation({
    mutationFn: (id: string) => unwrap(http.DELETE("/v1/api-keys/{key_id}", { params: { path: { key_id: id } } })),
    onSuccess,
  });
  return { create, revoke };
}

/** For lists that people keep short; stops at a thousand all the same. */
async function allPages<T>(load: (cursor: string | undefined) => Promise<{ items: T[]; next_cursor: string | null }>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await load(cursor);
    items.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && items.length < 1000);
  return items;
}

/** Server data of the gateway: models, the policy, provider keys, spend. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";
import { ApiError } from "@/api/problem";
import type { LimitScope, Policy, SpendDay, StoredPolicy, WholePolicy } from "@/api/schema";

export const modelsQuery = queryOptions({
  queryKey: ["gateway", "models"],
  queryFn: async ({ signal }) => (await unwrap(http.GET("/v1/gateway/models", { signal }))).items,
});

export const policyQuery = queryOptions({
  queryKey: ["gateway", "policy"],
  queryFn: async ({ signal }) => (await unwrap(http.GET("/v1/gateway/policy", { signal }))) as StoredPolicy,
});

/** Stores a whole policy over the version that was seen; a refusal for being stale fetches the present one. */
export function useSavePolicy() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async ({ policy, version }: { policy: Policy; version: number }) => {
      const stored: StoredPolicy = await unwrap(http.PUT("/v1/gateway/policy", { body: { policy: policy as WholePolicy, version } }));
      return stored;
    },
    onSuccess: (stored) => {
      queryClient.setQueryData(policyQuery.queryKey, stored);
      return queryClient.invalidateQueries({ queryKey: modelsQuery.queryKey });
    },
    onError: (error) => (isStale(error) ? queryClient.invalidateQueries({ queryKey: policyQuery.queryKey }) : undefined),
  });
}

export function isStale(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409;
}

export const providerKeysQuery = queryOptions({
  queryKey: ["gateway", "provider-keys"],
  queryFn: async ({ signal }) => (await unwrap(http.GET("/v1/gateway/provider-keys", { signal }))).items,
});

export function useProviderKeyChanges() {
  const queryClient = useQueryClient();
  const onSuccess = () => queryClient.invalidateQueries({ queryKey: providerKeysQuery.queryKey });
  const put = useMutation({
    // The key must not stay in memory once it was sent.
    gcTime: 0,
    mutationFn: ({ provider, key }: { provider: string; key: string }) =>
      unwrap(http.PUT("/v1/gateway/provider-keys/{provider}", { params: { path: { provider } }, body: { key } })),
    onSuccess,
  });
  const remove = useMutation({
    mutationFn: (provider: string) => unwrap(http.DELETE("/v1/gateway/provider-keys/{provider}", { params: { path: { provider } } })),
    onSuccess,
  });
  return { put, remove };
}

export interface Spend {
  days: SpendDay[];
  /** False when there was more than is read at once; the oldest days are then missing. */
  isWhole: boolean;
}
const MOST_ROWS = 2_000;

/** What was counted under one scope on some days (UTC, both included), newest first. */
export const spendQuery = (from: string, to: string, scope: LimitScope) =>
  queryOptions({
    queryKey: ["gateway", "spend", from, to, scope],
    queryFn: async ({ signal }): Promise<Spend> => {
      const days: SpendDay[] = [];
      let cursor: string | undefined;
      do {
        const page = await unwrap(http.GET("/v1/gateway/spend", { params: { query: { from, to, scope, limit: 200, cursor } }, signal }));
        days.push(...page.items);
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined && days.length < MOST_ROWS);
      return { days, isWhole: cursor === undefined };
    },
  });

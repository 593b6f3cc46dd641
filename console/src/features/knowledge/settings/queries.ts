/** Server data of the settings. */
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";
import { ApiError } from "@/api/problem";
import { ALL } from "../queries";
import type { CurrentSettings, Preview, SettingsVersion, SetupValue } from "../shapes";

export const settingsQuery = queryOptions({
  queryKey: [...ALL, "settings"],
  queryFn: async ({ signal }): Promise<CurrentSettings> => unwrap(http.GET("/v1/knowledge/settings", { signal })),
});

export const versionsQuery = infiniteQueryOptions({
  queryKey: [...ALL, "settings", "versions"],
  queryFn: async ({ pageParam, signal }): Promise<{ items: SettingsVersion[]; next_cursor: string | null }> =>
    unwrap(http.GET("/v1/knowledge/settings/versions", { params: { query: { limit: 10, cursor: pageParam } }, signal })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last) => last.next_cursor ?? undefined,
});

/** Saves over the version that was seen; a refusal for being stale fetches the present one. */
export function useSaveSettings() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (body: { value: SetupValue; base_version: number; note: string | null }): Promise<CurrentSettings> => unwrap(http.PUT("/v1/knowledge/settings", { body })),
    onSuccess: async (saved) => {
      queryClient.setQueryData(settingsQuery.queryKey, saved);
      await queryClient.invalidateQueries({ queryKey: versionsQuery.queryKey });
    },
    onError: (error) => (isStale(error) ? queryClient.invalidateQueries({ queryKey: settingsQuery.queryKey }) : undefined),
  });
}

export function isStale(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409;
}

export function usePreview() {
  return useMutation({
    mutationFn: async ({ document, value }: { document: string; value: SetupValue }): Promise<Preview> =>
      unwrap(http.POST("/v1/knowledge/settings:preview", { body: { document, value } })),
  });
}

/** Server data of operating: holds, schedules, and what every step asks for. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";
import { problemFrom, unreachable } from "@/api/problem";
import type { HoldAsked, ScheduleAsked } from "../shapes";
import { type Figures, readFigures } from "./figures";

export const holdsQuery = queryOptions({
  queryKey: ["holds"],
  queryFn: async ({ signal }) => (await unwrap(http.GET("/v1/holds", { signal }))).items,
  refetchInterval: 10_000,
});

export function useHoldChanges() {
  const queryClient = useQueryClient();
  const onSettled = () => queryClient.invalidateQueries({ queryKey: ["holds"] });
  const hold = useMutation({ mutationFn: (body: HoldAsked) => unwrap(http.POST("/v1/holds", { body })), onSettled });
  const release = useMutation({ mutationFn: (id: string) => unwrap(http.DELETE("/v1/holds/{hold}", { params: { path: { hold: id } } })), onSettled });
  return { hold, release };
}

export const schedulesQuery = queryOptions({
  queryKey: ["schedules"],
  queryFn: async ({ signal }) => (await unwrap(http.GET("/v1/schedules", { params: { query: { limit: 200 } }, signal }))).items,
  refetchInterval: 15_000,
});

export const previewQuery = (cron: string, timezone: string) =>
  queryOptions({
    queryKey: ["schedules", "preview", cron, timezone],
    queryFn: async ({ signal }) => {
      await new Promise((resolve) => setTimeout(resolve, 250));
      signal.throwIfAborted();
      return unwrap(http.GET("/v1/schedules:preview", { params: { query: { cron, timezone, count: 5 } }, signal }));
    },
    retry: false,
    placeholderData: keepPreviousData,
  });

export function useScheduleChanges() {
  const queryClient = useQueryClient();
  const onSettled = () => queryClient.invalidateQueries({ queryKey: ["schedules"] });
  const create = useMutation({ mutationFn: (body: ScheduleAsked) => unwrap(http.POST("/v1/schedules", { body })), onSettled });
  const change = useMutation({
    mutationFn: ({ id, ...body }: Partial<Omit<ScheduleAsked, "name">> & { id: string }) =>
      // The generated type wants fields that have defaults; absent ones stay as they are.
      unwrap(http.PATCH("/v1/schedules/{schedule}", { params: { path: { schedule: id } }, body: body as Required<typeof body> })),
    onSettled,
  });
  const remove = useMutation({ mutationFn: (id: string) => unwrap(http.DELETE("/v1/schedules/{schedule}", { params: { path: { schedule: id } } })), onSettled });
  return { create, change, remove };
}

/**
 * Of all tenants together, for who operates the platform: without its token only the machine itself is answered.
 * Asked past the client, because a refusal here does not mean that somebody is signed out.
 */
export const figuresQuery = queryOptions({
  queryKey: ["figures"],
  refetchInterval: 3_000,
  retry: false,
  queryFn: async ({ signal }): Promise<Figures | null> => {
    const response = await fetch("/metrics", { signal }).catch(() => { throw unreachable(); });
    if (response.status === 401 || response.status === 403) return null;
    if (!response.ok) throw problemFrom(response.status, await response.json().catch(() => null), response.headers.get("Retry-After"));
    return readFigures(await response.text());
  },
});

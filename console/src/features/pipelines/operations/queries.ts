/** Server data of operating: holds, lanes and schedules. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";
import type { HoldAsked, ScheduleAsked } from "../shapes";

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

export const lanesQuery = queryOptions({
  queryKey: ["lanes"],
  queryFn: async ({ signal }) => (await unwrap(http.GET("/v1/lanes", { signal }))).items,
  refetchInterval: 3_000,
});

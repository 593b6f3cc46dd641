/** Server data of webhooks. Every key begins with "webhooks". */
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";
import type { DeliveryState, EndpointChange, NewEndpoint } from "./shapes";

const ALL = ["webhooks"];
const EVERY = 5_000;

export const endpointsQuery = queryOptions({
  queryKey: [...ALL, "list"],
  queryFn: async ({ signal }) => (await unwrap(http.GET("/v1/webhooks", { signal }))).items,
  refetchInterval: 10_000,
});

export const endpointQuery = (endpoint: string) =>
  queryOptions({
    queryKey: [...ALL, "one", endpoint],
    queryFn: ({ signal }) => unwrap(http.GET("/v1/webhooks/{endpoint}", { params: { path: { endpoint } }, signal })),
    refetchInterval: EVERY,
  });

export const deliveriesQuery = (endpoint: string, state: DeliveryState | undefined) =>
  infiniteQueryOptions({
    queryKey: [...ALL, "deliveries", endpoint, state],
    queryFn: ({ pageParam, signal }) => unwrap(http.GET("/v1/webhooks/{endpoint}/deliveries", { params: { path: { endpoint }, query: { state, limit: 40, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: 3_000,
  });

export const deliveryQuery = (endpoint: string, delivery: string) =>
  queryOptions({
    queryKey: [...ALL, "delivery", endpoint, delivery],
    queryFn: ({ signal }) => unwrap(http.GET("/v1/webhooks/{endpoint}/deliveries/{delivery}", { params: { path: { endpoint, delivery } }, signal })),
    refetchInterval: ({ state }) => (state.data?.state === "pending" ? 2_000 : false),
  });

/** What can be done with endpoints; secrets must not stay in memory once they were shown. */
export function useEndpointChanges() {
  const queryClient = useQueryClient();
  const onSettled = () => queryClient.invalidateQueries({ queryKey: ALL });
  const create = useMutation({ gcTime: 0, mutationFn: (body: NewEndpoint) => unwrap(http.POST("/v1/webhooks", { body })), onSettled });
  const change = useMutation({
    mutationFn: ({ endpoint, ...body }: EndpointChange & { endpoint: string }) => unwrap(http.PATCH("/v1/webhooks/{endpoint}", { params: { path: { endpoint } }, body })),
    onSettled,
  });
  const rotate = useMutation({
    gcTime: 0,
    mutationFn: ({ endpoint, hours }: { endpoint: string; hours: number }) => unwrap(http.POST("/v1/webhooks/{endpoint}/rotate", { params: { path: { endpoint } }, body: { overlap_hours: hours } })),
    onSettled,
  });
  const test = useMutation({ mutationFn: (endpoint: string) => unwrap(http.POST("/v1/webhooks/{endpoint}/test", { params: { path: { endpoint } } })), onSettled });
  const remove = useMutation({ mutationFn: (endpoint: string) => unwrap(http.DELETE("/v1/webhooks/{endpoint}", { params: { path: { endpoint } } })), onSettled });
  const replay = useMutation({
    mutationFn: ({ endpoint, delivery }: { endpoint: string; delivery: string }) =>
      unwrap(http.POST("/v1/webhooks/{endpoint}/deliveries/{delivery}/replay", { params: { path: { endpoint, delivery } } })),
    onSettled,
  });
  const replaySpan = useMutation({
    mutationFn: ({ endpoint, since, failedOnly }: { endpoint: string; since: string; failedOnly: boolean }) =>
      unwrap(http.POST("/v1/webhooks/{endpoint}/replay", { params: { path: { endpoint } }, body: { since, failed_only: failedOnly } })),
    onSettled,
  });
  return { create, change, rotate, test, remove, replay, replaySpan };
}

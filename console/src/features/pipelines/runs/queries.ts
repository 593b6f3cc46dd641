/** Server data of runs: the list, one run, its steps, what there is to run. Every key begins with "runs". */
import { infiniteQueryOptions, keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";
import type { Run } from "@/api/schema";
import { hasEnded } from "../runState";
import type { RunLine } from "../shapes";
import { boundsOf, type RunsView } from "../view";

export const ALL = ["runs"];
const PAGE = 40;
/** While something moves, and while nothing does: new runs come by themselves. */
const SOON = 2_000;
const NOW_AND_THEN = 6_000;

interface RunPage {
  items: RunLine[];
  next_cursor: string | null;
}

export const runsQuery = (view: RunsView) =>
  infiniteQueryOptions({
    queryKey: [...ALL, "list", view.status, view.pipeline, view.step, view.error, view.subject, view.parent, view.since, view.after, view.before],
    queryFn: async ({ pageParam, signal }): Promise<RunPage> => {
      // Lets someone finish a word: a newer question cancels this one meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 120));
      signal.throwIfAborted();
      const query = { ...filterOf(view), ...boundsOf(view), error_code: view.error, limit: PAGE, cursor: pageParam };
      const page: unknown = await unwrap(http.GET("/v1/runs", { params: { query }, signal }));
      return page as RunPage;
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.items.some((run) => !hasEnded(run.status))) ? SOON : NOW_AND_THEN),
  });

function filterOf({ status, pipeline, step, subject, parent }: RunsView) {
  return { status, pipeline, step, subject, parent };
}

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: [...ALL, "one", id],
    queryFn: ({ signal }): Promise<Run> => unwrap(http.GET("/v1/runs/{run}", { params: { path: { run: id } }, signal })),
  });

export const pipelinesQuery = queryOptions({
  queryKey: ["pipelines"],
  staleTime: 60_000,
  queryFn: async ({ signal }) => (await unwrap(http.GET("/v1/pipelines", { signal }))).items,
});

export function useCancelRun() {
  return useMutation({
    mutationFn: (id: string) => unwrap(http.POST("/v1/runs/{run}/cancel", { params: { path: { run: id } } })),
  });
}

/** What can be done about one run; each ends by asking the server anew how things stand. */
export function useRunChanges(id: string) {
  const queryClient = useQueryClient();
  const onSuccess = () => queryClient.invalidateQueries({ queryKey: ALL });
  const path = { run: id };
  const retry = useMutation({ mutationFn: (): Promise<Run> => unwrap(http.POST("/v1/runs/{run}/retry", { params: { path }, body: {} })), onSuccess });
  const replay = useMutation({
    mutationFn: ({ key, ...body }: { input?: unknown; version?: number; key: string }): Promise<Run> =>
      unwrap(http.POST("/v1/runs/{run}/replay", { params: { path, header: { "idempotency-key": key } }, body })),
    onSuccess,
  });
  const signal = useMutation({
    mutationFn: ({ name, payload, key }: { name: string; payload: unknown; key: string }) =>
      unwrap(http.POST("/v1/runs/{run}/signal/{name}", { params: { path: { ...path, name } }, body: { payload: payload as null, key } })),
    onSuccess,
  });
  return { retry, replay, signal };
}

export function useCancelMany() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ view, reason }: { view: RunsView; reason: string }) =>
      unwrap(http.POST("/v1/runs:cancel", { body: { ...filterOf(view), ...boundsOf(view), all: false, reason: reason === "" ? null : reason } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ALL }),
  });
}

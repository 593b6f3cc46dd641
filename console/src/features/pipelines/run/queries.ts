/** Server data of one run's steps. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";
import type { StepStatus } from "@/api/schema";
import { ALL } from "../runs/queries";

export const stepQuery = (run: string, step: string, item: number | null, stamp = "") =>
  queryOptions({
    queryKey: [...ALL, "step", run, step, item, stamp],
    queryFn: ({ signal }) => unwrap(http.GET("/v1/runs/{run}/steps/{step}", { params: { path: { run, step }, query: item === null ? {} : { item } }, signal })),
    placeholderData: (before) => before,
  });

const PAGE = 50;

/** The items that a step fanned out over. */
export const itemsQuery = (run: string, step: string, status: StepStatus | undefined, moving: boolean) =>
  infiniteQueryOptions({
    queryKey: [...ALL, "items", run, step, status],
    queryFn: ({ pageParam, signal }) => unwrap(http.GET("/v1/runs/{run}/steps", { params: { path: { run }, query: { step, status, limit: PAGE, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: moving ? 3_000 : false,
  });

/** Server data of approvals. Every key begins with "approvals". */
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";
import { ApiError, asApiError } from "@/api/problem";
import type { Approval, ApprovalState, Ruling } from "./shapes";

const ALL = ["approvals"];
const EVERY = 6_000;

export interface InboxView {
  show?: "asked" | "all" | undefined;
  status?: ApprovalState | undefined;
  run?: string | undefined;
}

/** What is left out is what the reader may decide now. */
export const inboxQuery = ({ show, status, run }: InboxView) =>
  infiniteQueryOptions({
    queryKey: [...ALL, "list", show, status, run],
    queryFn: ({ pageParam, signal }) => unwrap(http.GET("/v1/approvals", { params: { query: { mine: show === undefined, status: show === "asked" ? "pending" : status, run, limit: 40, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: EVERY,
  });

/** How many wait for the reader, for the frame of the page. */
export const waitingQuery = queryOptions({
  queryKey: [...ALL, "waiting"],
  queryFn: async ({ signal }) => (await unwrap(http.GET("/v1/approvals", { params: { query: { mine: true, limit: 100 } }, signal }))).items.length,
  refetchInterval: 20_000,
  retry: false,
});

export const approvalQuery = (id: string) =>
  queryOptions({
    queryKey: [...ALL, "one", id],
    queryFn: ({ signal }): Promise<Approval> => unwrap(http.GET("/v1/approvals/{approval}", { params: { path: { approval: id } }, signal })),
    refetchInterval: ({ state }) => (state.data?.state === "pending" ? EVERY : false),
  });

/** Decide, delegate, withdraw. What was refused because somebody was faster is read anew. */
export function useApprovalChanges(id: string) {
  const queryClient = useQueryClient();
  const path = { approval: id };
  const ways = {
    onSuccess: (approval: Approval) => {
      queryClient.setQueryData(approvalQuery(id).queryKey, approval);
      return queryClient.invalidateQueries({ queryKey: ALL });
    },
    onError: (error: Error) => (error instanceof ApiError && error.status === 409 ? queryClient.invalidateQueries({ queryKey: ALL }) : undefined),
  };
  const decide = useMutation({ mutationFn: (body: Ruling): Promise<Approval> => unwrap(http.POST("/v1/approvals/{approval}/decide", { params: { path }, body })), ...ways });
  const delegate = useMutation({ mutationFn: (body: { to: string; reason: string | null }): Promise<Approval> => unwrap(http.POST("/v1/approvals/{approval}/delegate", { params: { path }, body })), ...ways });
  const withdraw = useMutation({ mutationFn: (reason: string | null): Promise<Approval> => unwrap(http.POST("/v1/approvals/{approval}/withdraw", { params: { path }, body: { reason } })), ...ways });
  return { decide, delegate, withdraw };
}

/** A refusal in words for who has just decided. */
export function refusalOf(error: unknown): { title: string; text: string } {
  const problem = asApiError(error);
  const titles: Record<string, string> = {
    approval_voided: "Not decided: it was changed after you opened it",
    approval_decided: "Not decided: somebody was faster",
    approval_expired: "Not decided: the time to decide is over",
    run_finished: "Not decided: the run that asked has ended",
    four_eyes: "Not decided: it needs another person",
    not_assigned: "Not decided: it is for others to decide",
    proposal_refused: "Not changed: the edit cannot be shown to a person",
  };
  const texts: Record<string, string> = {
    approval_voided: "What would be done now is shown below. Look at it again; nothing of yours was recorded.",
    approval_decided: "What was decided, and by whom, is shown below.",
  };
  return { title: titles[problem.code] ?? "Not decided", text: texts[problem.code] ?? problem.message };
}

/** Who it can be handed to by name; for those who may see members. */
export const peopleQuery = queryOptions({
  queryKey: [...ALL, "people"],
  staleTime: 60_000,
  retry: false,
  queryFn: async ({ signal }) => (await unwrap(http.GET("/v1/members", { params: { query: { limit: 200 } }, signal }))).items,
});

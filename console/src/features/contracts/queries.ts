/** Server data of contracts. Keys begin with "contracts" (lists) or "contract" + id (everything of one). */
import { infiniteQueryOptions, keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";
import type { Contract, Finding, FindingDecision, Report, RunStatus } from "@/api/schema";

export interface ListFilter {
  q?: string | undefined;
  status?: RunStatus | undefined;
}

const PAGE = 50;
const isMoving = (contract: Contract) => contract.latest_run?.status === "queued" || contract.latest_run?.status === "running";

export const contractsQuery = (filter: ListFilter) =>
  infiniteQueryOptions({
    queryKey: ["contracts", filter.q ?? "", filter.status ?? ""],
    queryFn: async ({ pageParam, signal }) => {
      await typingPause(filter.q, signal);
      const query = { limit: PAGE, cursor: pageParam, q: filter.q, status: filter.status };
      return unwrap(http.GET("/v1/contracts", { params: { query }, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.items.some(isMoving)) ? 2500 : false),
  });

/** Lets someone finish a word: a newer search cancels this one meanwhile. */
async function typingPause(q: string | undefined, signal: AbortSignal): Promise<void> {
  if (q !== undefined) await new Promise((resolve) => setTimeout(resolve, 160));
  signal.throwIfAborted();
}

export const contractQuery = (id: string) =>
  queryOptions({
    queryKey: ["contract", id],
    queryFn: ({ signal }) => unwrap(http.GET("/v1/contracts/{contract}", { params: { path: { contract: id } }, signal })),
  });

export const textQuery = (id: string) =>
  queryOptions({
    queryKey: ["contract", id, "text"],
    // The bytes of a contract never change, so neither does its text.
    staleTime: Infinity,
    queryFn: ({ signal }) => unwrap(http.GET("/v1/contracts/{contract}/text", { params: { path: { contract: id } }, signal })),
  });

export const reportQuery = (id: string) =>
  queryOptions({
    queryKey: ["contract", id, "report"],
    staleTime: 30_000,
    queryFn: ({ signal }) => unwrap(http.GET("/v1/contracts/{contract}/report", { params: { path: { contract: id } }, signal })),
  });

export function reportFile(id: string, format: "md" | "docx" | "json"): string {
  return `/v1/contracts/${encodeURIComponent(id)}/report?format=${format}`;
}

export function originalFile(id: string): string {
  return `/v1/contracts/${encodeURIComponent(id)}/file`;
}

/** Decides on a finding; the report shows the decision at once and takes it back when the server refuses. */
export function useDecide(contractId: string) {
  const queryClient = useQueryClient();
  const key = reportQuery(contractId).queryKey;
  const put = (id: string, change: (finding: Finding) => Finding) => {
    queryClient.setQueryData(key, (report: Report | undefined) =>
      report && { ...report, findings: report.findings.map((finding) => (finding.id === id ? change(finding) : finding)) });
  };
  return useMutation({
    mutationFn: ({ finding, ...body }: FindingDecision & { finding: Finding }) =>
      unwrap(http.PATCH("/v1/contracts/{contract}/findings/{finding}", { params: { path: { contract: contractId, finding: finding.id } }, body })),
    onMutate: async ({ finding, ...body }) => {
      await queryClient.cancelQueries({ queryKey: key });
      put(finding.id, (shown) => ({ ...shown, decision: body.decision, edited: whole(body.edited), reason: body.reason ?? null }));
    },
    onError: (_error, { finding }) => { put(finding.id, () => finding); },
    onSuccess: (decided) => {
      put(decided.id, () => decided);
      void queryClient.invalidateQueries({ queryKey: ["contracts"] });
    },
  });
}

function whole(edit: FindingDecision["edited"]): Finding["edited"] {
  return edit == null ? null : { title: edit.title ?? null, severity: edit.severity ?? null, suggestion: edit.suggestion ?? null };
}

export function useDeleteContract() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(http.DELETE("/v1/contracts/{contract}", { params: { path: { contract: id } } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["contracts"] }),
  });
}

export function useAnalyseAgain() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ id, playbook }: { id: string; playbook?: string }) =>
      unwrap(http.POST("/v1/contracts/{contract}/runs", { params: { path: { contract: id } }, body: { playbook } })),
    onSuccess: (submitted) => {
      queryClient.setQueryData(contractQuery(submitted.contract.id).queryKey, { ...submitted.contract, latest_run: submitted.run });
      queryClient.removeQueries({ queryKey: reportQuery(submitted.contract.id).queryKey });
      void queryClient.invalidateQueries({ queryKey: ["contracts"] });
    },
  });
}

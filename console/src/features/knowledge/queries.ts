/** Server data of knowledge: documents, their text and chunks, how all stands. Every key begins with "knowledge". */
import { infiniteQueryOptions, keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";
import { ApiError } from "@/api/problem";
import type { DocumentChunk, DocumentText, KnowledgeDocument } from "./shapes";
import type { KnowledgeView } from "./view";

export const ALL = ["knowledge"];
const SOON = 2_500;
const PAGE = 25;

export const statusQuery = queryOptions({
  queryKey: [...ALL, "status"],
  queryFn: ({ signal }) => unwrap(http.GET("/v1/knowledge/status", { signal })),
  refetchInterval: ({ state }) => ((state.data?.documents.pending ?? 0) > 0 ? SOON : false),
});

export const documentsQuery = ({ q, status, source }: KnowledgeView) =>
  infiniteQueryOptions({
    queryKey: [...ALL, "documents", q ?? "", status ?? "", source ?? ""],
    queryFn: async ({ pageParam, signal }) => {
      // Lets someone finish a word: a newer search cancels this one meanwhile.
      if (q !== undefined) await new Promise((resolve) => setTimeout(resolve, 160));
      signal.throwIfAborted();
      const query = { limit: PAGE, cursor: pageParam, q, status, source };
      return unwrap(http.GET("/v1/knowledge/documents", { params: { query }, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.items.some(isPending)) ? SOON : false),
  });

const isPending = (document: KnowledgeDocument) => document.status === "pending";

export const documentQuery = (id: string) =>
  queryOptions({
    queryKey: [...ALL, "document", id],
    queryFn: ({ signal }) => unwrap(http.GET("/v1/knowledge/documents/{document}", { params: { path: { document: id } }, signal })),
    refetchInterval: ({ state }) => (state.data?.status === "pending" ? SOON : false),
  });

/** The text of one revision; of the newest one when that is gone. */
export const textQuery = (id: string, revision: number) =>
  queryOptions({
    queryKey: [...ALL, "text", id, revision],
    staleTime: Infinity,
    queryFn: async ({ signal }): Promise<DocumentText> => {
      const get = (query: { revision?: number }) => unwrap(http.GET("/v1/knowledge/documents/{document}/text", { params: { path: { document: id }, query }, signal }));
      try {
        return await get({ revision });
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return get({});
        throw error;
      }
    },
  });

const MOST_CHUNKS = 2_000;

export const chunksQuery = (id: string, revision: number) =>
  queryOptions({
    queryKey: [...ALL, "chunks", id, revision],
    queryFn: async ({ signal }): Promise<DocumentChunk[]> => {
      const chunks: DocumentChunk[] = [];
      let cursor: string | undefined;
      do {
        const page = await unwrap(http.GET("/v1/knowledge/documents/{document}/chunks", { params: { path: { document: id }, query: { limit: 200, cursor } }, signal }));
        chunks.push(...page.items);
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined && chunks.length < MOST_CHUNKS);
      return chunks;
    },
  });

export function originalFile(id: string): string {
  return `/v1/knowledge/documents/${encodeURIComponent(id)}/file`;
}

/** What can be done with a document; each ends by asking the server anew how things stand. */
export function useDocumentChanges() {
  const queryClient = useQueryClient();
  const onSuccess = () => queryClient.invalidateQueries({ queryKey: ALL });
  const remove = useMutation({
    mutationFn: (id: string) => unwrap(http.DELETE("/v1/knowledge/documents/{document}", { params: { path: { document: id } } })),
    onSuccess: async (_gone, id) => {
      queryClient.removeQueries({ queryKey: documentQuery(id).queryKey });
      await onSuccess();
    },
  });
  const again = useMutation({ mutationFn: indexAgain, onSuccess });
  const readers = useMutation({
    mutationFn: ({ id, readers: wanted }: { id: string; readers: string[] | null }) =>
      unwrap(http.PUT("/v1/knowledge/documents/{document}/readers", { params: { path: { document: id } }, body: { readers: wanted } })),
    onSuccess,
  });
  /** Tries every document again that failed for one cause, as many as a page holds. */
  const againFor = useMutation({
    mutationFn: async (code: string) => {
      const failed = await unwrap(http.GET("/v1/knowledge/documents", { params: { query: { status: "failed", limit: 200 } } }));
      const meant = failed.items.filter((document) => document.error?.code === code);
      for (const document of meant) await indexAgain(document.id);
      return meant.length;
    },
    onSettled: onSuccess,
  });
  return { remove, again, readers, againFor };
}

function indexAgain(id: string) {
  return unwrap(http.POST("/v1/knowledge/documents/{document}/runs", { params: { path: { document: id } } }));
}

/** Who documents can be opened to by name; for those who may see members. */
export const teamsQuery = queryOptions({
  queryKey: [...ALL, "teams"],
  staleTime: 60_000,
  queryFn: async ({ signal }) => (await unwrap(http.GET("/v1/teams", { params: { query: { limit: 200 } }, signal }))).items,
});
export const peopleQuery = queryOptions({
  queryKey: [...ALL, "people"],
  staleTime: 60_000,
  queryFn: async ({ signal }) => (await unwrap(http.GET("/v1/members", { params: { query: { limit: 200 } }, signal }))).items,
});

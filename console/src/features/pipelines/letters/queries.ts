/** Server data of dead letters: causes, the letters of one, one with its input and trace, and what was decided. */
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";
import type { LettersAsked } from "../shapes";
import type { LetterState } from "../view";

const ALL = ["dead-letters"];
const PAGE = 40;
const EVERY = 6_000;

export const groupsQuery = queryOptions({
  queryKey: [...ALL, "groups"],
  queryFn: async ({ signal }) => (await unwrap(http.GET("/v1/dead-letters/groups", { signal }))).items,
  refetchInterval: EVERY,
});

export const lettersQuery = (state: LetterState, fingerprint: string | undefined) =>
  infiniteQueryOptions({
    queryKey: [...ALL, "list", state, fingerprint],
    queryFn: ({ pageParam, signal }) => unwrap(http.GET("/v1/dead-letters", { params: { query: { state, fingerprint, limit: PAGE, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });

export const letterQuery = (id: string) =>
  queryOptions({
    queryKey: [...ALL, "one", id],
    queryFn: ({ signal }) => unwrap(http.GET("/v1/dead-letters/{letter}", { params: { path: { letter: id } }, signal })),
  });

const POLL_MS = 700;

/** What can be decided; many at once are followed until workers are through with them. */
export function useLetterChanges() {
  const queryClient = useQueryClient();
  const onSettled = () => Promise.all([queryClient.invalidateQueries({ queryKey: ALL }), queryClient.invalidateQueries({ queryKey: ["runs"] })]);
  const replay = useMutation({ mutationFn: (letter: string) => unwrap(http.POST("/v1/dead-letters/{letter}/replay", { params: { path: { letter } } })), onSettled });
  const discard = useMutation({
    mutationFn: ({ letter, reason }: { letter: string; reason: string }) => unwrap(http.POST("/v1/dead-letters/{letter}/discard", { params: { path: { letter } }, body: { reason } })),
    onSettled,
  });
  const restore = useMutation({ mutationFn: (letter: string) => unwrap(http.POST("/v1/dead-letters/{letter}/restore", { params: { path: { letter } } })), onSettled });
  const replayMany = useMutation({ mutationFn: async (body: LettersAsked) => finished(await unwrap(http.POST("/v1/dead-letters:replay", { body }))), onSettled });
  const discardMany = useMutation({
    mutationFn: async (body: LettersAsked & { reason: string }) => finished(await unwrap(http.POST("/v1/dead-letters:discard", { body }))),
    onSettled,
  });
  return { replay, discard, restore, replayMany, discardMany };
}

type Bulk = Awaited<ReturnType<typeof askBulk>>;
const askBulk = (bulk: string) => unwrap(http.GET("/v1/bulk-actions/{bulk}", { params: { path: { bulk } } }));

/** Waits a few seconds for the end; a longer one is carried on by workers. */
async function finished(asked: Bulk): Promise<Bulk> {
  let bulk = asked;
  for (let tries = 0; bulk.state !== "finished" && tries < 12; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    bulk = await askBulk(bulk.id);
  }
  return bulk;
}

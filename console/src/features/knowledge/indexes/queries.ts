/** Server data of index versions. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";
import { ALL } from "../queries";
import type { Comparison } from "../shapes";

export const indexesQuery = queryOptions({
  queryKey: [...ALL, "indexes"],
  queryFn: ({ signal }) => unwrap(http.GET("/v1/knowledge/indexes", { signal })),
  refetchInterval: ({ state }) => (state.data?.items.some(({ status }) => status === "building") === true ? 2_500 : false),
});

const of = (index: string) => ({ params: { path: { index } } });

export function useIndexChanges() {
  const queryClient = useQueryClient();
  const onSuccess = () => queryClient.invalidateQueries({ queryKey: ALL });
  const rebuild = useMutation({ mutationFn: () => unwrap(http.POST("/v1/knowledge/indexes:rebuild", {})), onSuccess });
  const compare = useMutation({ mutationFn: async (id: string): Promise<Comparison> => unwrap(http.GET("/v1/knowledge/indexes/{index}/comparison", of(id))) });
  const activate = useMutation({ mutationFn: ({ id, force }: { id: string; force: boolean }) => unwrap(http.POST("/v1/knowledge/indexes/{index}:switch", { ...of(id), body: { force } })), onSuccess });
  const undo = useMutation({ mutationFn: (id: string) => unwrap(http.POST("/v1/knowledge/indexes/{index}:undo", of(id))), onSuccess });
  const abandon = useMutation({ mutationFn: (id: string) => unwrap(http.POST("/v1/knowledge/indexes/{index}:abandon", of(id))), onSuccess });
  return { rebuild, compare, activate, undo, abandon };
}

/** Server data of sources. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";
import { ALL } from "../queries";
import type { NewSource, Source, SourceChange } from "../shapes";

export const sourcesQuery = queryOptions({
  queryKey: [...ALL, "sources"],
  queryFn: async ({ signal }): Promise<Source[]> => (await unwrap(http.GET("/v1/knowledge/sources", { signal }))).items,
});

export function useSourceChanges() {
  const queryClient = useQueryClient();
  const onSuccess = () => queryClient.invalidateQueries({ queryKey: ALL });
  // A secret must not stay in memory once it was sent.
  const create = useMutation({ gcTime: 0, mutationFn: (body: NewSource) => unwrap(http.POST("/v1/knowledge/sources", { body })), onSuccess });
  const change = useMutation({
    gcTime: 0,
    mutationFn: ({ name, ...body }: SourceChange & { name: string }) =>
      // The generated type wants fields that have defaults; absent ones stay as they are.
      unwrap(http.PATCH("/v1/knowledge/sources/{source}", { params: { path: { source: name } }, body: body as Required<typeof body> })),
    onSuccess,
  });
  const sync = useMutation({ mutationFn: (name: string) => unwrap(http.POST("/v1/knowledge/sources/{source}:sync", { params: { path: { source: name } } })), onSuccess });
  const remove = useMutation({ mutationFn: (name: string) => unwrap(http.DELETE("/v1/knowledge/sources/{source}", { params: { path: { source: name } } })), onSuccess });
  return { create, change, sync, remove };
}

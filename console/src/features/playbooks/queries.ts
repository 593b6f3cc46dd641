import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";

export const playbooksQuery = queryOptions({
  queryKey: ["playbooks"],
  queryFn: async ({ signal }) => (await unwrap(http.GET("/v1/playbooks", { signal }))).items,
});

export const playbookQuery = (name: string, version?: number) =>
  queryOptions({
    queryKey: ["playbook", name, version ?? "newest"],
    // What someone is editing must not change under them.
    staleTime: Infinity,
    queryFn: ({ signal }) => unwrap(http.GET("/v1/playbooks/{name}", { params: { path: { name }, query: { version } }, signal })),
  });

export const versionsQuery = (name: string) =>
  queryOptions({
    queryKey: ["playbook", name, "versions"],
    queryFn: async ({ signal }) => (await unwrap(http.GET("/v1/playbooks/{name}/versions", { params: { path: { name } }, signal }))).items,
  });

export function useSavePlaybook(name: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: { yaml: string; is_default?: boolean; base_version?: number }) =>
      unwrap(http.PUT("/v1/playbooks/{name}", { params: { path: { name } }, body })),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ["playbook", name] });
      await queryClient.invalidateQueries({ queryKey: playbooksQuery.queryKey });
    },
  });
}

import { useMutation } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";

export function useCancelRun() {
  return useMutation({
    mutationFn: (id: string) => unwrap(http.POST("/v1/runs/{run}/cancel", { params: { path: { run: id } } })),
  });
}

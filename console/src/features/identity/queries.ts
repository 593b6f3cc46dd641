import { useMutation } from "@tanstack/react-query";
import { http, rememberCsrfToken, unwrap } from "@/api/client";

export function useSignIn() {
  return useMutation({
    mutationFn: async (body: { email: string; password: string; tenant?: string | undefined }) => {
      const session = await unwrap(http.POST("/v1/session", { body }));
      rememberCsrfToken(session.csrf_token);
      return session;
    },
  });
}

import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useState } from "react";
import { whenSignedOut } from "@/api/client";
import { ApiError } from "@/api/problem";
import { sessionQuery } from "@/api/session";
import { TooltipProvider } from "@/design";
import { createAppRouter } from "./router";

function createQueryClient(): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache(),
    mutationCache: new MutationCache(),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // What the server refused once it refuses again; only what may pass is tried anew.
        retry: (failures, error) => failures < 2 && error instanceof ApiError && error.retryable,
        retryDelay: (failures) => Math.min(4000, 500 * 2 ** failures),
      },
    },
  });
}

function createApp() {
  const queryClient = createQueryClient();
  const router = createAppRouter(queryClient);
  whenSignedOut(() => {
    queryClient.setQueryData(sessionQuery.queryKey, null);
    void router.navigate({ to: "/sign-in", search: { next: router.state.location.href } });
  });
  return { queryClient, router };
}

export function App() {
  const [{ queryClient, router }] = useState(createApp);
  return (
    <QueryClientProvider client={queryClient}>
      <TooltipProvider delayDuration={350} skipDelayDuration={200}>
        <RouterProvider router={router} />
      </TooltipProvider>
    </QueryClientProvider>
  );
}

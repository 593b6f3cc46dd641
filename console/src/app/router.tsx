/** The routes. What a page shows is kept in the URL; each validator drops what it does not know. */
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from "@tanstack/react-router";
import { sessionQuery } from "@/api/session";
import { Toasts } from "@/design";
import { approvalsSearch, contractSearch, deliveriesSearch, documentSearch, gatewaySearch, knowledgeSearch, listSearch, runSearch, runsSearch, searchSearch, signInSearch } from "./search";
import { NotFoundPage } from "./pages/NotFoundPage";
import { RouteFailure } from "./pages/RouteFailure";
import { SignIn } from "./pages/SignIn";
import { Shell } from "./shell/Shell";
import { ShellSkeleton } from "./shell/ShellSkeleton";

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: () => (
    <>
      <Outlet />
      <Toasts />
    </>
  ),
  notFoundComponent: NotFoundPage,
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: signInSearch,
  component: SignIn,
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  beforeLoad: async ({ context, location }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (session === null) redirect({ to: "/sign-in", search: { next: location.href }, throw: true });
  },
  component: Shell,
  pendingComponent: ShellSkeleton,
  errorComponent: RouteFailure,
});

const home = createRoute({
  getParentRoute: () => signedIn,
  path: "/",
  beforeLoad: () => {
    redirect({ to: "/contracts", throw: true });
  },
});

const contracts = createRoute({
  getParentRoute: () => signedIn,
  path: "/contracts",
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import("./pages/Contracts"), "Contracts"),
});

const contract = createRoute({
  getParentRoute: () => signedIn,
  path: "/contracts/$contractId",
  validateSearch: contractSearch,
  beforeLoad: ({ location, params }) => {
    // Answers name a place as #12-40.
    const place = /^(\d+)-(\d+)$/.exec(location.hash);
    if (place !== null) redirect({ to: "/contracts/$contractId", params, search: { start: Number(place[1]), end: Number(place[2]) }, hash: "", replace: true, throw: true });
  },
  component: lazyRouteComponent(() => import("./pages/Contract"), "Contract"),
});

const knowledge = createRoute({
  getParentRoute: () => signedIn,
  path: "/knowledge",
  validateSearch: knowledgeSearch,
  component: lazyRouteComponent(() => import("./pages/Knowledge"), "Knowledge"),
});

const knowledgeDocument = createRoute({
  getParentRoute: () => signedIn,
  path: "/knowledge/documents/$documentId",
  validateSearch: documentSearch,
  component: lazyRouteComponent(() => import("./pages/Knowledge"), "KnowledgeDocument"),
});

const search = createRoute({
  getParentRoute: () => signedIn,
  path: "/search",
  validateSearch: searchSearch,
  component: lazyRouteComponent(() => import("./pages/Knowledge"), "Search"),
});

const gateway = createRoute({
  getParentRoute: () => signedIn,
  path: "/gateway",
  validateSearch: gatewaySearch,
  component: lazyRouteComponent(() => import("./pages/Gateway"), "Gateway"),
});

const runs = createRoute({
  getParentRoute: () => signedIn,
  path: "/runs",
  validateSearch: runsSearch,
  component: lazyRouteComponent(() => import("./pages/Runs"), "Runs"),
});

const run = createRoute({
  getParentRoute: () => signedIn,
  path: "/runs/$runId",
  validateSearch: runSearch,
  component: lazyRouteComponent(() => import("./pages/Runs"), "Run"),
});

const approvals = createRoute({
  getParentRoute: () => signedIn,
  path: "/approvals",
  validateSearch: approvalsSearch,
  component: lazyRouteComponent(() => import("./pages/Approvals"), "Approvals"),
});

const approval = createRoute({
  getParentRoute: () => signedIn,
  path: "/approvals/$approvalId",
  component: lazyRouteComponent(() => import("./pages/Approvals"), "Approval"),
});

/** A layout route, so that a new question keeps its page when it gets an address. */
const ask = createRoute({
  getParentRoute: () => signedIn,
  path: "/ask",
  component: lazyRouteComponent(() => import("./pages/Ask"), "Ask"),
});
const askThread = createRoute({ getParentRoute: () => ask, path: "$threadId" });

const settings = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings",
  component: lazyRouteComponent(() => import("./pages/Settings"), "Settings"),
});
const settingsHome = createRoute({
  getParentRoute: () => settings,
  path: "/",
  beforeLoad: () => {
    redirect({ to: "/settings/tenant", throw: true });
  },
});
const settingsPart = <Path extends string>(path: Path, name: "Tenant" | "Members" | "ApiKeys" | "Playbooks" | "Playbook") =>
  createRoute({ getParentRoute: () => settings, path, component: lazyRouteComponent(() => import("./pages/settingsParts"), name) });

const settingsWebhook = createRoute({
  getParentRoute: () => settings,
  path: "webhooks/$endpointId",
  validateSearch: deliveriesSearch,
  component: lazyRouteComponent(() => import("./pages/Webhooks"), "Webhook"),
});
const settingsWebhooks = createRoute({
  getParentRoute: () => settings,
  path: "webhooks",
  component: lazyRouteComponent(() => import("./pages/Webhooks"), "Webhooks"),
});

const routes = root.addChildren([
  signIn,
  signedIn.addChildren([
    home,
    contracts,
    contract,
    knowledge,
    knowledgeDocument,
    search,
    gateway,
    ask.addChildren([askThread]),
    runs,
    run,
    approvals,
    approval,
    settings.addChildren([
      settingsHome,
      settingsPart("tenant", "Tenant"),
      settingsPart("members", "Members"),
      settingsPart("api-keys", "ApiKeys"),
      settingsWebhooks,
      settingsWebhook,
      settingsPart("playbooks", "Playbooks"),
      settingsPart("playbooks/$name", "Playbook"),
    ]),
  ]),
]);

export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree: routes,
    context: { queryClient },
    defaultPreload: "intent",
    scrollRestoration: true,
    defaultErrorComponent: RouteFailure,
    defaultNotFoundComponent: NotFoundPage,
    defaultPendingMs: 200,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}

import { getRouteApi } from "@tanstack/react-router";
import { RunPage, RunsPage } from "@/features/pipelines";

const list = getRouteApi("/signed-in/runs");
const one = getRouteApi("/signed-in/runs/$runId");

export function Runs() {
  const view = list.useSearch();
  const navigate = list.useNavigate();
  return <RunsPage view={view} onView={(change) => void navigate({ search: (shown) => ({ ...shown, ...change }), replace: !("tab" in change) })} />;
}

export function Run() {
  const { runId } = one.useParams();
  const view = one.useSearch();
  const navigate = one.useNavigate();
  return (
    <RunPage
      key={runId}
      runId={runId}
      view={view}
      onView={(change) => void navigate({ search: (shown) => ({ ...shown, ...change }), replace: true, resetScroll: false })}
      onRun={(next) => void navigate({ to: "/runs/$runId", params: { runId: next }, search: {} })}
    />
  );
}

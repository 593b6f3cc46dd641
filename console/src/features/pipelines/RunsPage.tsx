import { useQuery } from "@tanstack/react-query";
import { Page, PageHead, PageTabs } from "@/design";
import { LettersPanel } from "./letters/LettersPanel";
import { groupsQuery } from "./letters/queries";
import { LanesPanel } from "./operations/LanesPanel";
import { SchedulesPanel } from "./operations/SchedulesPanel";
import { RunsPanel } from "./runs/RunsPanel";
import type { Viewed } from "./view";

/** Everything that runs in the background: what runs, what failed for good, what waits and is held, what the clock starts. */
export function RunsPage({ view, onView }: Viewed) {
  const groups = useQuery(groupsQuery);
  const open = groups.data?.reduce((sum, { count }) => sum + count, 0) ?? 0;
  const tabs = [
    { value: "runs" as const, label: "Runs" },
    { value: "dead" as const, label: "Dead letters", ...(open > 0 ? { count: open } : {}) },
    { value: "lanes" as const, label: "Lanes & holds" },
    { value: "schedules" as const, label: "Schedules" },
  ];
  const tab = view.tab ?? "runs";
  return (
    <Page>
      <PageHead title="Runs" lead="What happens in the background, step by step, and what needs a hand" />
      <PageTabs tabs={tabs} value={tab} onChange={(next) => { onView({ tab: next === "runs" ? undefined : next }); }} label="Runs">
        {tab === "runs" && <RunsPanel view={view} onView={onView} />}
        {tab === "dead" && <LettersPanel view={view} onView={onView} />}
        {tab === "lanes" && <LanesPanel />}
        {tab === "schedules" && <SchedulesPanel />}
      </PageTabs>
    </Page>
  );
}

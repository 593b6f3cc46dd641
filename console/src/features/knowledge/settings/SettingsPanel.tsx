import { useQuery } from "@tanstack/react-query";
import { Card, Failure, Loading, SkeletonLines } from "@/design";
import type { Viewed } from "../view";
import { settingsQuery } from "./queries";
import { SettingsForm } from "./SettingsForm";
import { VersionsCard } from "./VersionsCard";

/** How documents are cut, embedded and searched; tried on a document before it is saved. */
export function SettingsPanel({ view, onView }: Viewed) {
  const settings = useQuery(settingsQuery);
  if (settings.data === undefined) {
    return settings.isError ? (
      <Card><Failure what="The settings" error={settings.error} onRetry={() => void settings.refetch()} /></Card>
    ) : (
      <Loading label="Loading the settings"><Card><SkeletonLines count={8} /></Card></Loading>
    );
  }
  return (
    <>
      <SettingsForm current={settings.data} view={view} onView={onView} />
      <VersionsCard current={settings.data} />
    </>
  );
}

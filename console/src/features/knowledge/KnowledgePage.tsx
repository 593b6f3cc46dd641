import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useAllowance } from "@/api/session";
import { FileDrop, Page, PageHead, TabPanel, Tabs } from "@/design";
import { DocumentsPanel } from "./documents/DocumentsPanel";
import { UploadButton, UploadInput } from "./documents/UploadPanel";
import { uploads, whenTaken } from "./documents/uploads";
import { IndexesPanel } from "./indexes/IndexesPanel";
import { ALL } from "./queries";
import { SettingsPanel } from "./settings/SettingsPanel";
import { SourcesPanel } from "./sources/SourcesPanel";
import type { Viewed } from "./view";
import s from "./knowledge.module.css";

const TABS: { value: "documents" | "sources" | "settings" | "indexes"; label: string }[] = [
  { value: "documents", label: "Documents" },
  { value: "sources", label: "Sources" },
  { value: "settings", label: "Settings" },
  { value: "indexes", label: "Indexes" },
];

export function KnowledgePage({ view, onView }: Viewed) {
  const queryClient = useQueryClient();
  const may = useAllowance("knowledge.edit");
  // Synchronizes the lists with the upload queue, which lives outside React.
  useEffect(() => {
    whenTaken(() => void queryClient.invalidateQueries({ queryKey: ALL }));
  }, [queryClient]);
  return (
    <Page>
      <FileDrop denied={may.reason} title="Drop to index" hint="PDF, Office, HTML, mail, Markdown, CSV or text, several at once" onFiles={(files, folders) => { uploads.add(files, folders); onView({ tab: undefined }); }} />
      <UploadInput />
      <PageHead title="Knowledge" lead="Documents that are read, cut into passages, and found by search">
        <UploadButton denied={may.reason} />
      </PageHead>
      <Tabs tabs={TABS} value={view.tab ?? "documents"} onChange={(tab) => { onView({ tab: tab === "documents" ? undefined : tab }); }} label="Knowledge" className={s.tabs}>
        <TabPanel value="documents" className={s.panel}><DocumentsPanel view={view} onView={onView} /></TabPanel>
        <TabPanel value="sources" className={s.panel}><SourcesPanel /></TabPanel>
        <TabPanel value="settings" className={s.panel}><SettingsPanel view={view} onView={onView} /></TabPanel>
        <TabPanel value="indexes" className={s.panel}><IndexesPanel /></TabPanel>
      </Tabs>
    </Page>
  );
}

import { Page, PageHead, TabPanel, Tabs } from "@/design";
import { KeysPanel } from "./keys/KeysPanel";
import { LimitsPanel } from "./limits/LimitsPanel";
import { ModelsPanel } from "./models/ModelsPanel";
import { SpendPanel } from "./spend/SpendPanel";
import type { Viewed } from "./view";
import s from "./gateway.module.css";

const TABS: { value: "models" | "limits" | "keys" | "spend"; label: string }[] = [
  { value: "models", label: "Models" },
  { value: "limits", label: "Limits & budgets" },
  { value: "keys", label: "Provider keys" },
  { value: "spend", label: "Spend" },
];

export function GatewayPage({ view, onView }: Viewed) {
  return (
    <Page>
      <PageHead title="AI gateway" lead="Which models may be called, within which limits, with whose keys, at what cost" />
      <Tabs tabs={TABS} value={view.tab ?? "models"} onChange={(tab) => { onView({ tab: tab === "models" ? undefined : tab }); }} label="AI gateway" className={s.tabs}>
        <TabPanel value="models" className={s.panel}><ModelsPanel view={view} onView={onView} /></TabPanel>
        <TabPanel value="limits" className={s.panel}><LimitsPanel /></TabPanel>
        <TabPanel value="keys" className={s.panel}><KeysPanel /></TabPanel>
        <TabPanel value="spend" className={s.panel}><SpendPanel view={view} onView={onView} /></TabPanel>
      </Tabs>
    </Page>
  );
}

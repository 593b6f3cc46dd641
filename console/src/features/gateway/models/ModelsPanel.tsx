import { useQuery } from "@tanstack/react-query";
import type { GatewayModel, SpendDay } from "@/api/schema";
import { Button, Card, count, Failure, Loading, Notice, SearchBox, Segments, SkeletonLines, State } from "@/design";
import { dayName, utcDay } from "../figures";
import { modelsQuery, spendQuery } from "../queries";
import type { Viewed } from "../view";
import { ModelTable } from "./ModelTable";
import { endingModels, matching } from "./models";
import s from "./models.module.css";

export function ModelsPanel({ view, onView }: Viewed) {
  const models = useQuery(modelsQuery);
  const used = useQuery(spendQuery(utcDay(30), utcDay(), "model"));
  if (models.isError) return <Card><Failure what="The list of models" error={models.error} onRetry={() => void models.refetch()} /></Card>;
  if (models.data === undefined) return <Loading label="Loading the models"><Card><SkeletonLines count={8} /></Card></Loading>;
  if (models.data.length === 0) {
    return <Card><State icon="model" title="No model may be called"><p>No provider is configured, or the policy allows none of its models. See the limits and the policy’s <code>allow</code>.</p></State></Card>;
  }
  return (
    <>
      {!used.isPending && <EndingNotice models={models.data} days={used.data?.days} />}
      <div className={s.bar}>
        <SearchBox label="Search models" placeholder="Name, alias or provider" value={view.q ?? ""} onChange={(q) => { onView({ q: q === "" ? undefined : q }); }} />
        <Segments
          label="Show"
          value={view.show ?? "all"}
          onChange={(show) => { onView({ show: show === "all" ? undefined : show }); }}
          options={[
            { value: "all", label: "All", count: models.data.length },
            { value: "chat", label: "Chat" },
            { value: "embedding", label: "Embedding" },
            { value: "deprecated", label: "Deprecated", count: models.data.filter((model) => model.lifecycle === "deprecated").length },
          ]}
        />
      </div>
      <Found view={view} onView={onView} found={matching(models.data, view.q, view.show)} days={used.data?.days} />
    </>
  );
}

function Found({ found, days, onView }: Viewed & { found: GatewayModel[]; days: SpendDay[] | undefined }) {
  if (found.length > 0) return <ModelTable models={found} days={days} />;
  return (
    <Card>
      <State icon="search" title="No model matches" actions={<Button onClick={() => { onView({ q: undefined, show: undefined }); }}>Show all models</Button>} />
    </Card>
  );
}

/** Names the ending models that were called lately; all of them when that cannot be told. */
function EndingNotice({ models, days }: { models: GatewayModel[]; days: SpendDay[] | undefined }) {
  const ending = endingModels(models, days);
  if (ending.length === 0) return null;
  const title = days === undefined
    ? `${count(ending.length, "model is", "models are")} deprecated`
    : `${count(ending.length, "deprecated model was", "deprecated models were")} called in the last 30 days`;
  return (
    <Notice tone="medium" title={title}>
      <ul className={s.ending}>
        {ending.map((model) => (
          <li key={model.name}>
            <code>{model.name}</code> {model.retires_on === null ? "has a successor" : <>ends on {dayName(model.retires_on)}</>}
            {model.replacement !== null && <>; ask for <code>{model.replacement}</code> instead</>}.
          </li>
        ))}
      </ul>
    </Notice>
  );
}

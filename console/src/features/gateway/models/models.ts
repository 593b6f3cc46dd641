import type { GatewayModel, SpendDay } from "@/api/schema";

/** Models whose names, aliases or providers hold all the words that were typed. */
export function matching(models: readonly GatewayModel[], typed: string | undefined, show: string | undefined): GatewayModel[] {
  const wanted = (typed ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  return models.filter((model) => {
    const text = [model.name, ...model.aliases, ...model.providers, model.quality].join(" ").toLowerCase();
    const fits = show === undefined || show === model.kind || show === model.lifecycle;
    return fits && wanted.every((word) => text.includes(word));
  });
}

/** Calls by whatever name the model was counted under. */
export function callsOf(model: GatewayModel, days: readonly SpendDay[]): number {
  const names = new Set([model.name, ...model.aliases]);
  return days.reduce((sum, day) => (names.has(day.value) ? sum + day.calls : sum), 0);
}

/** Deprecated models, the first to end first; only those called, where the calls are known. */
export function endingModels(models: readonly GatewayModel[], days: readonly SpendDay[] | undefined): GatewayModel[] {
  return models
    .filter((model) => model.lifecycle === "deprecated" && (days === undefined || callsOf(model, days) > 0))
    .sort((one, other) => (one.retires_on ?? "9999").localeCompare(other.retires_on ?? "9999"));
}

/** "eu-north-1", or each of the three where they differ. */
export function places(regions: GatewayModel["endpoints"][number]["regions"]): string {
  const { storage, processing, retention } = regions;
  if (storage === processing && processing === retention) return processing ?? "not known";
  const say = (name: string, region: string | null) => `${name} ${region ?? "unknown"}`;
  return [say("processed in", processing), say("stored in", storage), say("kept in", retention)].join(", ");
}

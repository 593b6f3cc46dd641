/** For tests: what the gateway's routes answer with. */
import type { GatewayModel, ProviderKey, SpendDay, StoredPolicy } from "@/api/schema";
import { json, type Routes, session } from "./server";

const TODAY = new Date().toISOString().slice(0, 10);

const PRICE = { version: "genai-prices 0.2.3", source: "list" as const, input_micros: 1_250_000, output_micros: 10_000_000, cached_input_micros: 125_000, varies: false };

export function model(part: Partial<GatewayModel> = {}): GatewayModel {
  const regions = { storage: "eu", processing: "eu", retention: "eu" };
  return {
    name: "acme/one-2026-01-01", aliases: ["one"], providers: ["acme"], kind: "chat", quality: "standard", is_pinned: true, lifecycle: "active", deprecated_on: null, retires_on: null, replacement: null,
    context_tokens: 64_000, max_output_tokens: 8_000, price: PRICE, endpoints: [{ name: "acme-eu", provider: "acme", wire_model: "one", regions, is_admitted: true, price: PRICE }], is_admitted: true, warnings: [], ...part,
  };
}

export const ENDING = model({ name: "acme/old-2024-01-01", aliases: ["old"], lifecycle: "deprecated", retires_on: "2027-02-01", replacement: "acme/one-2026-01-01", warnings: ["acme has deprecated it."] });

export function spend(part: Partial<SpendDay> = {}): SpendDay {
  return { spent_on: TODAY, scope: "tenant", value: "", cost_micros: 4_000_000, tokens: 9_000, calls: 12, ...part };
}

export function policy(part: Partial<StoredPolicy> = {}): StoredPolicy {
  return { version: 3, policy: { residency: "eu", limits: [{ scope: "tenant", budget_per_day_micros: 5_000_000 }] }, updated_at: "2026-05-01T10:00:00Z", updated_by: "usr_2", ...part };
}

export function providerKey(part: Partial<ProviderKey> = {}): ProviderKey {
  return { provider: "openai", last_four: "wXYZ", created_at: "2026-05-01T10:00:00Z", created_by: "usr_1", state: "ok", trouble: null, ...part };
}

/** A server whose spend is the given rows, of whichever scope is asked for. */
export function gateway(more: Routes = {}, days: SpendDay[] = [spend()], permissions = ["gateway.view", "gateway.manage"]): Routes {
  return {
    "GET /v1/session": () => json(session(permissions)),
    "GET /v1/gateway/models": () => json({ items: [model(), ENDING] }),
    "GET /v1/gateway/policy": () => json(policy()),
    "GET /v1/gateway/provider-keys": () => json({ items: [providerKey()] }),
    "GET /v1/gateway/spend": ({ query }) => json({ items: days.filter(({ scope }) => scope === query.get("scope")), next_cursor: null }),
    ...more,
  };
}

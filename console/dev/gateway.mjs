// Development only: the gateway's control plane over invented data.
const day = (back) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
const ago = (days) => new Date(Date.now() - days * 86_400_000).toISOString();
const list = (input, output, varies = false) => ({ version: "genai-prices 0.2.3", source: "list", input_micros: input, output_micros: output, cached_input_micros: Math.round(input / 10), varies });
const at = (name, provider, wire, region, price) => ({ name, provider, wire_model: wire, regions: { storage: region, processing: region, retention: region }, is_admitted: true, price });
const model = (name, fields) => ({ name, aliases: [], providers: [name.split("/")[0]], kind: "chat", quality: "standard", is_pinned: true, lifecycle: "active", deprecated_on: null, retires_on: null, replacement: null, context_tokens: 400_000, max_output_tokens: 128_000, price: null, endpoints: [], is_admitted: true, warnings: [], ...fields });
const offered = (name, wire, region, price, fields) => model(name, { price, endpoints: [at(region ? `${name.split("/")[0]}-${region}` : name.split("/")[0], name.split("/")[0], wire, region, price)], ...fields });
const soon = day(-71);

const MODELS = [
  model("openai/gpt-5-2025-08-07", { aliases: ["gpt-5", "best"], quality: "premium", providers: ["openai", "azure"], price: list(1_250_000, 10_000_000), endpoints: [at("openai", "openai", "gpt-5-2025-08-07", null, list(1_250_000, 10_000_000)), at("azure-sweden", "azure", "gpt-5", "swedencentral", list(1_375_000, 11_000_000))] }),
  offered("openai/gpt-5-mini-2025-08-07", "gpt-5-mini-2025-08-07", "eu", { ...list(200_000, 1_800_000), version: "tenant", source: "tenant" }, { aliases: ["gpt-5-mini"] }),
  offered("openai/gpt-4o-2024-08-06", "gpt-4o-2024-08-06", "eu", list(2_500_000, 10_000_000), { aliases: ["gpt-4o"], lifecycle: "deprecated", deprecated_on: day(200), retires_on: soon, replacement: "openai/gpt-5-2025-08-07", context_tokens: 128_000, max_output_tokens: 16_384, warnings: [`openai has deprecated it and ends it on ${soon}. Ask for openai/gpt-5-2025-08-07 instead.`] }),
  offered("anthropic/claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929", "eu", list(3_000_000, 15_000_000, true), { aliases: ["claude-sonnet-4-5"], quality: "premium", providers: ["anthropic", "bedrock"], context_tokens: 200_000, max_output_tokens: 64_000 }),
  offered("gemini/gemini-2.5-flash", "gemini-2.5-flash", null, list(300_000, 2_500_000), { is_pinned: false, quality: "economy", context_tokens: 1_048_576, is_admitted: false, warnings: ["No endpoint stores, processes and keeps calls within eu, so they are refused."] }),
  offered("openai/text-embedding-3-small", "text-embedding-3-small", "eu", list(20_000, 0), { kind: "embedding", context_tokens: 8191, max_output_tokens: null }),
  offered("cellar/house-7b", "house-7b", "de", null, { context_tokens: 32_768, max_output_tokens: null, warnings: ["Its price at cellar-de is not known: under a budget, calls of it are refused."] }),
  offered("local/smollm2-135m-instruct", "smollm2-135m-instruct", "eu", { version: "local", source: "local", input_micros: 0, output_micros: 0, cached_input_micros: 0, varies: false }, { quality: "economy", context_tokens: 8192, max_output_tokens: 8192 }),
];
for (const each of MODELS) if (!each.is_admitted) each.endpoints[0].is_admitted = false;

let policy = {
  version: 7, updated_at: ago(2), updated_by: "usr_1",
  policy: {
    residency: "eu",
    limits: [
      { scope: "tenant", budget_per_day_micros: 20_000_000, budget_per_month_micros: 400_000_000, concurrency: 50 },
      { scope: "key", requests_per_minute: 600, tokens_per_minute: 2_000_000, budget_per_month_micros: 100_000_000, soft_percent: 90 },
      { scope: "feature", match: "contracts.summary", calls_per_day: 400 },
    ],
    cache: { exact: "deterministic" },
    prices: { "gpt-5-mini": { input_micros: 200_000, output_micros: 1_800_000 } },
  },
};
const KEYS = [
  { provider: "anthropic", last_four: "Q9zA", created_at: ago(41), created_by: "usr_1", state: "ok", trouble: null },
  { provider: "openai", last_four: "wXYZ", created_at: ago(12), created_by: "operator", state: "unreadable", trouble: "The key for openai cannot be decrypted: it was sealed under a key that this platform no longer has. Store it again with PUT /v1/gateway/provider-keys/openai, or delete it." },
];
const wave = (back, size) => Math.max(0, Math.round(size * (1.2 + Math.sin(back * 0.9) * 0.6 - (back % 7 === 0 ? 0.9 : 0))));
const SHARES = {
  tenant: { "": 1 },
  model: { "openai/gpt-5-2025-08-07": 0.52, "anthropic/claude-sonnet-4-5-20250929": 0.3, "openai/gpt-4o-2024-08-06": 0.13, "openai/gpt-5-mini-2025-08-07": 0.05 },
  key: { "0190c2aa-6d1e-7c11-8a52-2f4be1a80c11": 0.7, "0190c2ab-13f0-7b0a-9d0e-77aa01f2e9d4": 0.3 },
  feature: { "contracts.summary": 0.6, "search": 0.4 },
  user: {},
};

function spend(query) {
  const items = [];
  for (let back = 0; back < 90; back += 1) {
    const spent_on = day(back);
    if (spent_on < query.get("from") || spent_on > query.get("to")) continue;
    for (const [value, share] of Object.entries(SHARES[query.get("scope")])) items.push({ spent_on, scope: query.get("scope"), value, cost_micros: wave(back, 14_300_000 * share), tokens: wave(back, 4_100_000 * share), calls: wave(back, 610 * share) });
  }
  return items;
}

export const gatewayRoutes = ({ need, page, Refusal, scenario }) => [
  ["GET", "/v1/gateway/models", () => { need("gateway.view"); return [200, { items: scenario() === "empty" ? [] : MODELS }]; }],
  ["GET", "/v1/gateway/policy", () => { need("gateway.view"); return [200, scenario() === "empty" ? { version: 0, policy: {}, updated_at: null, updated_by: null } : policy]; }],
  ["PUT", "/v1/gateway/policy", ({ body }) => {
    need("gateway.manage");
    if (scenario() === "stale") { policy = { ...policy, version: policy.version + 1, updated_by: "usr_2", updated_at: ago(0) }; }
    if (body.version !== policy.version) throw new Refusal(409, "policy_stale", "Changed meanwhile", `The policy is at version ${policy.version} and not ${body.version}.`);
    const bad = body.policy.limits?.findIndex((limit) => limit.budget_per_day_micros < 0) ?? -1;
    if (bad >= 0) {
      const message = `policy.limits[${bad}].budget_per_day_micros is ${body.policy.limits[bad].budget_per_day_micros}: Expected int >= 0. Correct it; nothing was changed.`;
      throw new Refusal(422, "invalid_policy", "Invalid input", `The policy was not stored: ${message}`, { errors: [{ field: `policy.limits[${bad}].budget_per_day_micros`, message }] });
    }
    policy = { version: policy.version + 1, policy: body.policy, updated_at: ago(0), updated_by: "usr_1" };
    return [200, policy];
  }],
  ["GET", "/v1/gateway/provider-keys", () => { need("gateway.view"); return [200, page(scenario() === "empty" ? [] : KEYS)]; }],
  ["PUT", "/v1/gateway/provider-keys/:provider", ({ id, body }) => {
    if (body.key.length < 8) throw new Refusal(422, "invalid_input", "Invalid input", `The key has ${body.key.length} characters; it needs 8 to 8,192.`);
    const stored = { provider: id, last_four: body.key.slice(-4), created_at: ago(0), created_by: "usr_1", state: "ok", trouble: null };
    const before = KEYS.findIndex((key) => key.provider === id);
    KEYS.splice(before < 0 ? KEYS.length : before, before < 0 ? 0 : 1, stored);
    return [200, stored];
  }],
  ["DELETE", "/v1/gateway/provider-keys/:provider", ({ id }) => { KEYS.splice(KEYS.findIndex((key) => key.provider === id), 1); return [204]; }],
  ["GET", "/v1/gateway/spend", ({ query }) => { need("gateway.view"); return [200, page(scenario() === "empty" ? [] : spend(query))]; }],
];

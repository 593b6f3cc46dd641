// Development only: the HTTP API's shapes over invented data, in memory, for pictures and for work on the console
// without a server. POST /mock/scenario {"name": "normal|empty|error|denied|slow|throttled"} changes its mood.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { gatewayRoutes } from "./gateway.mjs";
import { BIG, SMALL, reportOn } from "./sample.mjs";
import { timeline } from "./timeline.mjs";

const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const ROLES = {
  owner: ["ai.analysis.trigger", "ai.output.view", "ai.recommendation.approve", "contract.upload", "contract.delete", "playbook.edit", "tenant.manage", "member.view", "member.manage", "key.manage", "gateway.view", "gateway.manage"],
  analyst: ["ai.output.view", "gateway.view"],
  viewer: ["ai.output.view"],
};
let scenario = process.env.SCENARIO ?? "normal";
let signedIn = process.env.SIGNED_IN === "1";
const tenant = { id: "ten_1", slug: "halvorsen", name: "Halvorsen Legal", ai_enabled: true, created_at: "2026-01-04T09:00:00Z" };
const user = { id: "usr_1", email: "mara@halvorsen.example", name: "Mara Lindqvist" };
const minutes = (ago) => new Date(Date.now() - ago * 60_000).toISOString();
const STEPS = [["parse", "Read the document"], ["chunk", "Split it into clauses"], ["embed", "Embed the clauses"], ["classify", "Classify the clauses"], ["assess", "Assess against the playbook"], ["summarize", "Write the summary"]];
const run = (id, subject, status, at) => ({
  id, pipeline: "contracts.analyze", status, subject, created_at: minutes(at), started_at: minutes(at), finished_at: status === "running" ? null : minutes(at - 0.05),
  steps: STEPS.map(([name, title], index) => ({ name, title, status: status === "succeeded" ? "succeeded" : index < 2 ? "succeeded" : status === "failed" && index === 2 ? "failed" : "waiting", attempt: 1, started_at: minutes(at), finished_at: minutes(at - 0.01 * (index + 1)), error: status === "failed" && index === 2 ? "The local model did not answer in 60 seconds." : null })),
  error: status === "failed" ? { code: "model_unavailable", detail: "The local embedding model did not answer within 60 seconds, 5 attempts. Start it again with `mainspring doctor`, then analyse anew." } : null,
});
const contract = (id, name, extra) => ({ id, name, media_type: "application/pdf", size_bytes: 184_320, sha256: "0".repeat(64), pages: 14, language: "en", title: null, created_at: minutes(30), created_by: "Mara Lindqvist", latest_run: run(`run_${id}`, id, "succeeded", 30), findings: null, playbook: "buyer", ...extra });
const counts = (report) => ({ ...report.counts, open: report.findings.filter((finding) => finding.decision === "open").length });
const documents = { ctr_1: SMALL, ctr_2: BIG };
const contracts = [
  contract("ctr_1", "quillbridge-master-subscription.pdf", { title: "Master Subscription Agreement", pages: 2, created_at: minutes(12) }),
  contract("ctr_2", "framework-agreement-consolidated.docx", { title: "Framework Agreement, consolidated", pages: 30, size_bytes: 2_310_000, media_type: "application/vnd.openxmlformats-officedocument.wordprocessingml.document", created_at: minutes(95) }),
  contract("ctr_3", "carrier-nda-mutual.txt", { title: "Mutual Non-Disclosure Agreement", pages: null, media_type: "text/plain", size_bytes: 18_400, created_at: minutes(1500), findings: { critical: 0, high: 1, medium: 2, low: 1, info: 3, open: 0 } }),
  contract("ctr_4", "warehouse-lease-scan-2019.pdf", { latest_run: run("run_4", "ctr_4", "failed", 2900), created_at: minutes(2900), pages: 41, size_bytes: 18_900_000 }),
  contract("ctr_5", "telematics-reseller-v7-redline.docx", { title: "Reseller Agreement", latest_run: run("run_5", "ctr_5", "cancelled", 9000), created_at: minutes(9000), playbook: "vendor", media_type: "application/vnd.openxmlformats-officedocument.wordprocessingml.document" }),
];
const reports = { ctr_1: reportOn(SMALL, contracts[0], "run_ctr_1"), ctr_2: reportOn(BIG, contracts[1], "run_ctr_2", 12) };
for (const id of ["ctr_1", "ctr_2"]) contracts.find((each) => each.id === id).findings = counts(reports[id]);
const keys = [{ id: "key_1", name: "Nightly import", prefix: "ms_4kq2", scopes: ["ai.analysis.trigger", "ai.output.view"], created_at: minutes(60000), expires_at: null, revoked_at: null, last_used_at: minutes(50) }, { id: "key_2", name: "Old notebook", prefix: "ms_9xw1", scopes: ["ai.output.view"], created_at: minutes(200000), expires_at: minutes(-90000), revoked_at: minutes(3000), last_used_at: null }];
const members = [["usr_1", "mara@halvorsen.example", "Mara Lindqvist", "owner"], ["usr_2", "theo@halvorsen.example", "Theo Brandt", "reviewer"], ["usr_3", "ines@halvorsen.example", "In\u00eas Carvalho", "analyst"]].map(([id, email, name, role], index) => ({ id: `mem_${index}`, user: { id, email, name }, role, created_at: minutes(90000 - index * 9000) }));
const YAML = "name: buyer\ntitle: Buyer of software and services\nside: buyer\n\n# A cap below a year of fees is the first thing to negotiate.\nrules:\n  - id: liability-cap\n    limit: cap_on_liability\n    at_least: 12 months fees\n    severity: critical\n    why: >\n      A low cap leaves most of a realistic loss with us.\n    suggest: \"Limited to the fees of the twelve months before the event.\"\n\n  - id: renewal-length\n    limit: renewal_term\n    at_most: 12 months\n    severity: high\n\n  - id: law\n    limit: governing_law\n    one_of: [Delaware, New York, England and Wales]\n    severity: medium\n\n  - id: insurance\n    require: insurance\n    severity: medium\n";
const playbooks = [{ name: "buyer", version: 3, title: "Buyer of software and services", side: "buyer", rules: 24, is_default: true, updated_at: minutes(4000), yaml: YAML }, { name: "vendor", version: 1, title: "Vendor of software", side: "vendor", rules: 17, is_default: false, updated_at: minutes(90000), yaml: YAML.replace("buyer", "vendor") }];
const streams = new Map();

class Refusal extends Error {
  constructor(status, code, title, detail, extra = {}) { super(detail); Object.assign(this, { status, code, title, extra }); }
}
const page = (items) => ({ items, next_cursor: null });
const need = (permission) => { if (!permissions().includes(permission)) throw new Refusal(403, "forbidden", "Not permitted", `${user.name} lacks the permission '${permission}'; ask an owner or admin of the tenant for a role that has it.`); };
const role = () => ({ denied: "viewer", analyst: "analyst" })[scenario] ?? "owner";
const permissions = () => ROLES[role()];
const session = () => ({ user, tenant, role: role(), permissions: permissions(), csrf_token: "csrf", tenants: [{ id: "ten_1", slug: "halvorsen", name: "Halvorsen Legal", role: "owner" }, { id: "ten_2", slug: "brandt", name: "Brandt & Partners", role: "viewer" }] });
const found = (value) => { if (value === undefined) throw new Refusal(404, "not_found", "Not found", "There is nothing at this address, or it belongs to another tenant."); return value; };
const byId = (id) => found(contracts.find((each) => each.id === id));

const routes = [
  ["POST", "/v1/session", ({ body }) => {
    if (scenario === "throttled") throw new Refusal(429, "rate_limited", "Too many attempts", "5 attempts in 15 minutes failed.", { retryAfter: 37 });
    if (body.password !== "mainspring") throw new Refusal(401, "unauthenticated", "Not signed in", "The email or the password is wrong.");
    signedIn = true;
    return [201, session()];
  }],
  ["GET", "/v1/session", () => { if (!signedIn) throw new Refusal(401, "unauthenticated", "Not signed in", "No credential came with the request."); return [200, session()]; }],
  ["DELETE", "/v1/session", () => { signedIn = false; return [204]; }],
  ["GET", "/v1/tenant", () => [200, tenant]],
  ["PATCH", "/v1/tenant", ({ body }) => { need("tenant.manage"); return [200, Object.assign(tenant, body)]; }],
  ["GET", "/v1/members", () => { need("member.view"); return [200, page(members)]; }],
  ["POST", "/v1/members", ({ body }) => { const member = { id: `mem_${members.length}`, user: { id: "usr_9", email: body.email, name: body.name }, role: body.role, created_at: minutes(0) }; members.push(member); return [201, { ...member, password: "harbour-quiet-lantern-42" }]; }],
  ["PATCH", "/v1/members/:id", ({ id, body }) => { if (id === "mem_0") throw new Refusal(409, "conflict", "Last owner", "Mara Lindqvist is the last owner; make someone else an owner first."); return [200, Object.assign(members.find((each) => each.id === id), body)]; }],
  ["DELETE", "/v1/members/:id", ({ id }) => { members.splice(members.findIndex((each) => each.id === id), 1); return [204]; }],
  ["GET", "/v1/roles", () => [200, Object.entries(ROLES).map(([role, held]) => ({ role, permissions: held }))]],
  ["GET", "/v1/api-keys", () => { need("key.manage"); return [200, page(keys)]; }],
  ["POST", "/v1/api-keys", ({ body }) => { const key = { id: `key_${keys.length + 1}`, name: body.name, prefix: "ms_7fd3", scopes: body.scopes ?? [], created_at: minutes(0), expires_at: body.expires_at ?? null, revoked_at: null, last_used_at: null }; keys.unshift(key); return [201, { ...key, secret: "ms_7fd3_example_not_a_key" }]; }],
  ["DELETE", "/v1/api-keys/:id", ({ id }) => { found(keys.find((each) => each.id === id)).revoked_at = minutes(0); return [204]; }],
  ["GET", "/v1/contracts", ({ query }) => {
    if (scenario === "error") throw new Refusal(503, "unavailable", "Unavailable", "The database did not answer within 5 seconds; try again.", { retryAfter: 5 });
    if (scenario === "empty") return [200, page([])];
    return [200, page(contracts.filter((each) => each.name.includes(query.get("q") ?? "") && (query.get("status") ?? each.latest_run?.status) === each.latest_run?.status))];
  }],
  ["POST", "/v1/contracts", ({ fileName }) => {
    need("contract.upload");
    if (/encrypted/.test(fileName)) throw new Refusal(422, "document_encrypted", "The PDF is encrypted", `'${fileName}' is protected by a password. Remove the protection and upload it again.`);
    const same = contracts.find((each) => each.name === fileName);
    if (same) return [200, { contract: same, run: same.latest_run, stream_url: `/v1/runs/${same.latest_run.id}/events`, duplicate: true }];
    const id = `ctr_${contracts.length + 1}`;
    const started = start(id);
    contracts.unshift(contract(id, fileName, { latest_run: started, pages: null, created_at: minutes(0) }));
    documents[id] = SMALL;
    return [202, { contract: contracts[0], run: started, stream_url: `/v1/runs/${started.id}/events`, duplicate: false }];
  }],
  ["GET", "/v1/contracts/:id", ({ id }) => [200, byId(id)]],
  ["DELETE", "/v1/contracts/:id", ({ id }) => { contracts.splice(contracts.indexOf(byId(id)), 1); return [204]; }],
  ["POST", "/v1/contracts/:id/runs", ({ id }) => { const each = byId(id); each.latest_run = start(id); return [202, { contract: each, run: each.latest_run, stream_url: "", duplicate: false }]; }],
  ["GET", "/v1/contracts/:id/text", ({ id }) => [200, found(documents[id])]],
  ["GET", "/v1/contracts/:id/report", ({ id }) => [200, found(reports[id])]],
  ["PATCH", "/v1/contracts/:id/findings/:finding", ({ id, finding, body }) => {
    need("ai.recommendation.approve");
    const target = found(reports[id]?.findings.find((each) => each.id === finding));
    Object.assign(target, { reason: null, edited: null, decided_by: body.decision === "open" ? null : user.name, decided_at: minutes(0) }, body);
    byId(id).findings = counts(reports[id]);
    return [200, target];
  }],
  ...gatewayRoutes({ need, page, Refusal, scenario: () => scenario }),
  ["GET", "/v1/playbooks", () => [200, page(playbooks)]],
  ["GET", "/v1/playbooks/:name", ({ id }) => [200, found(playbooks.find((each) => each.name === id))]],
  ["PUT", "/v1/playbooks/:name", ({ id, body }) => {
    const line = body.yaml.split("\n").findIndex((each) => /severity: (?!critical|high|medium|low|info)/.test(each));
    if (line >= 0) throw new Refusal(422, "playbook_invalid", "The playbook is not valid", `Line ${line + 1}: severity must be one of critical, high, medium, low, info.`, { errors: [{ field: `line ${line + 1}`, message: "severity must be one of critical, high, medium, low, info" }] });
    const target = found(playbooks.find((each) => each.name === id));
    return [200, Object.assign(target, { yaml: body.yaml, version: target.version + 1, updated_at: minutes(0) })];
  }],
  ["GET", "/v1/playbooks/:name/versions", ({ id }) => { const top = found(playbooks.find((each) => each.name === id)); return [200, page(Array.from({ length: top.version }, (_, back) => ({ ...top, version: top.version - back, updated_at: minutes(4000 + back * 9000) })))]; }],
  ["GET", "/v1/runs/:id", ({ id }) => [200, found(contracts.map((each) => each.latest_run).find((each) => each?.id === id))]],
  ["POST", "/v1/runs/:id/cancel", ({ id }) => { const story = found(streams.get(id)); story.cancel(); return [202, story.run]; }],
];

function start(id) {
  const fresh = run(`run_${id}_${Date.now()}`, id, "running", 0);
  for (const step of fresh.steps) Object.assign(step, { status: "waiting", started_at: null, finished_at: null });
  fresh.started_at = null;
  streams.set(fresh.id, timeline(fresh, STEPS, Number(process.env.PACE ?? 1), () => {
    const each = byId(id);
    each.pages = 2;
    each.title = "Master Subscription Agreement";
    reports[id] = reportOn(SMALL, each, fresh.id);
    each.findings = counts(reports[id]);
  }));
  return fresh;
}

function match(method, path) {
  for (const [verb, pattern, run] of routes) {
    const names = [];
    const expression = new RegExp(`^${pattern.replace(/:(\w+)/g, (_, name) => { names.push(names.length === 0 ? "id" : name); return "([^/]+)"; })}$`);
    const hit = verb === method && expression.exec(path);
    if (hit) return { run, parameters: Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(hit[index + 1])])) };
  }
  return null;
}

async function answer(request, response) {
  const url = new URL(request.url, "http://mock");
  const raw = await new Promise((resolve) => { const parts = []; request.on("data", (part) => parts.push(part)); request.on("end", () => resolve(Buffer.concat(parts).toString("latin1"))); });
  if (url.pathname === "/mock/scenario") { ({ name: scenario } = JSON.parse(raw)); if ("signedIn" in JSON.parse(raw)) ({ signedIn } = JSON.parse(raw)); return response.end(); }
  const events = /^\/v1\/runs\/([^/]+)\/events$/.exec(url.pathname);
  if (events && streams.has(events[1])) return streams.get(events[1]).follow(request, response);
  if (!url.pathname.startsWith("/v1/")) return file(url.pathname, response);
  if (scenario === "slow" && url.pathname !== "/v1/session") await new Promise((resolve) => setTimeout(resolve, 60_000));
  try {
    const hit = found(match(request.method, url.pathname) ?? undefined);
    const json = request.headers["content-type"]?.startsWith("application/json");
    const [status, body] = hit.run({ ...hit.parameters, query: url.searchParams, body: json ? JSON.parse(Buffer.from(raw, "latin1").toString()) : undefined, fileName: /filename="([^"]+)"/.exec(raw)?.[1] });
    response.writeHead(status, { "Content-Type": "application/json" }).end(body === undefined ? undefined : JSON.stringify(body));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { retryAfter, ...extra } = error.extra;
    response.writeHead(error.status, { "Content-Type": "application/problem+json", ...(retryAfter ? { "Retry-After": retryAfter } : {}) });
    response.end(JSON.stringify({ type: "about:blank", title: error.title, status: error.status, detail: error.message, code: error.code, retryable: error.status > 428, request_id: "req_0190c2", ...extra }));
  }
}

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2" };
function file(path, response) {
  const wanted = join(DIST, normalize(path));
  const real = wanted.startsWith(DIST) && existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(DIST, "index.html");
  response.writeHead(200, { "Content-Type": TYPES[extname(real)] ?? "application/octet-stream", "Content-Security-Policy": "default-src 'self'; object-src 'none'; frame-ancestors 'none'" });
  createReadStream(real).pipe(response);
}

const port = Number(process.env.PORT ?? 8080);
const server = createServer((request, response) => void answer(request, response));
server.listen(port, "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${server.address().port}\n`));

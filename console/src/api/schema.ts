/**
 * The words of the HTTP API, one alias each over the types generated from the server's OpenAPI
 * (`npm run generate`): the rest of the console imports from here only, so a renamed shape is one edit.
 */
import type { components, paths } from "./schema.gen";

type Shapes = components["schemas"];

/** OpenAPI calls a field with a default optional; the server sends every field all the same. */
export type Sent<T> = T extends readonly (infer Item)[]
  ? Sent<Item>[]
  : T extends object
    ? { [Key in keyof T]-?: Sent<Exclude<T[Key], undefined>> }
    : T;

type Json<T> = T extends { content: { "application/json": infer Body } } ? Body : never;

/** What a route answers with when it goes well: for shapes whose generated names several rooms contend for. */
export type Reply<Path extends keyof paths, Method extends keyof paths[Path]> = paths[Path][Method] extends { responses: infer Given }
  ? Sent<Json<Given[keyof Given & (200 | 201 | 202)]>>
  : never;

export type Problem = Shapes["Problem"];

export type Session = Sent<Shapes["Session"]>;
export type Tenant = Sent<Shapes["TenantView"]>;
export type User = Sent<Shapes["UserView"]>;
export type Member = Sent<Shapes["MemberView"]>;
export type NewMember = Sent<Shapes["NewMemberView"]>;
export type ApiKey = Sent<Shapes["ApiKeyView"]>;
export type NewApiKey = Sent<Shapes["NewApiKeyView"]>;
export type RoleName = Member["role"];
export type Permission = NonNullable<Shapes["ApiKeyRequest"]["scopes"]>[number];

export type Run = Reply<"/v1/runs/{run}", "get">;
export type RunStep = Run["steps"][number];
export type RunStatus = Run["status"];
export type StepStatus = RunStep["status"];

export type ApprovalState = Sent<Shapes["ApprovalShape"]>["state"];

export type Contract = Sent<Shapes["ContractShape"]>;
export type Submitted = Sent<Shapes["Submitted"]>;
export type ContractText = Sent<Shapes["TextShape"]>;
export type TextBlock = ContractText["blocks"][number];

/** Offsets count characters (code points) of the parsed text, end exclusive. */
export type Citation = Sent<Shapes["CitationShape"]>;
export type Finding = Sent<Shapes["FindingShape"]>;
export type FindingEdit = Shapes["EditedFinding"];
export type FindingDecision = Shapes["DecideFinding"];
export type Severity = Finding["severity"];
export type Decision = Finding["decision"];
export type Fact = Sent<Shapes["FactShape"]>;
export type CategoryHit = Sent<Shapes["CategoryShape"]>;
export type Report = Sent<Shapes["ReportShape"]>;

export type Playbook = Sent<Shapes["PlaybookShape"]>;
export type PlaybookDetail = Sent<Shapes["PlaybookText"]>;

/** As the generated types have it: fields with defaults count as required there, and are not. */
export type WholePolicy = Shapes["PolicyRequest"]["policy"];
export type LimitScope = WholePolicy["limits"][number]["scope"];
/** A policy holds only what differs from the defaults, so here every field may be absent. */
export type Limit = Partial<WholePolicy["limits"][number]> & { scope: LimitScope };
export type Policy = Omit<Partial<WholePolicy>, "limits" | "cache"> & { limits?: Limit[]; cache?: Partial<NonNullable<WholePolicy["cache"]>> };
export type StoredPolicy = Omit<Sent<Shapes["PolicyView"]>, "policy"> & { policy: Policy };
export type GatewayModel = Sent<Shapes["ModelView"]>;
export type ModelEndpoint = GatewayModel["endpoints"][number];
export type ModelPrice = NonNullable<GatewayModel["price"]>;
export type ProviderKey = Sent<Shapes["ProviderKeyView"]>;
export type SpendDay = Sent<Shapes["SpendView"]>;

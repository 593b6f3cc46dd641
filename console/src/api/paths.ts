/** The routes in the shape that openapi-fetch reads; replaced by `paths` of schema.gen.ts once generated. */
import type {
  ApiKey, Contract, ContractText, Finding, FindingDecision, Member, NewApiKey, NewMember, Page, Playbook,
  PlaybookDetail, Problem, Report, Role, RoleName, Run, Session, Submitted, Tenant,
} from "./schema";

interface Json<T> { content: { "application/json": T } }
interface Refusal { content: { "application/problem+json": Problem } }
type Get<Answer, Path = never, Query = undefined> = Bare<Path, Query, 200, Answer>;
interface Bare<Path, Query, Status extends number, Answer> {
  parameters: Where<Path, Query>;
  requestBody?: never;
  responses: Record<Status, Answer extends undefined ? { content?: never } : Json<Answer>> & { default: Refusal };
}
type Where<Path, Query> = ([Path] extends [never] ? { path?: never } : { path: Path }) & { query?: Query };
interface With<Body, Path, Status extends number, Answer> extends Omit<Bare<Path, undefined, Status, Answer>, "requestBody"> {
  requestBody: Json<Body>;
}
interface Id { id: string }
interface Name { name: string }
interface Paging { limit?: number; cursor?: string }

export interface paths {
  "/v1/session": {
    get: Get<Session>;
    post: With<{ email: string; password: string; tenant?: string }, never, 201, Session>;
    delete: Bare<never, undefined, 204, undefined>;
  };
  "/v1/tenant": { get: Get<Tenant>; patch: With<{ name?: string; ai_enabled?: boolean }, never, 200, Tenant> };
  "/v1/members": {
    get: Get<Page<Member>, never, Paging>;
    post: With<{ email: string; name: string; role: RoleName; password?: string }, never, 201, NewMember>;
  };
  "/v1/members/{id}": {
    patch: With<{ role: RoleName }, Id, 200, Member>;
    delete: Bare<Id, undefined, 204, undefined>;
  };
  "/v1/api-keys": {
    get: Get<Page<ApiKey>, never, Paging>;
    post: With<{ name: string; scopes?: string[]; expires_at?: string }, never, 201, NewApiKey>;
  };
  "/v1/api-keys/{id}": { delete: Bare<Id, undefined, 204, undefined> };
  "/v1/roles": { get: Get<Role[] | Page<Role>> };
  "/v1/contracts": { get: Get<Page<Contract>, never, Paging & { q?: string; status?: string }> };
  "/v1/contracts/{id}": { get: Get<Contract, Id>; delete: Bare<Id, undefined, 204, undefined> };
  "/v1/contracts/{id}/runs": { post: With<{ playbook?: string }, Id, 202, Submitted> };
  "/v1/contracts/{id}/text": { get: Get<ContractText, Id> };
  "/v1/contracts/{id}/report": { get: Get<Report, Id> };
  "/v1/contracts/{id}/findings/{finding_id}": {
    patch: With<FindingDecision, { id: string; finding_id: string }, 200, Finding>;
  };
  "/v1/playbooks": { get: Get<Page<Playbook>, never, Paging> };
  "/v1/playbooks/{name}": {
    get: Get<PlaybookDetail, Name, { version?: number }>;
    put: With<{ yaml: string; is_default?: boolean; base_version?: number }, Name, 200, PlaybookDetail>;
  };
  "/v1/playbooks/{name}/versions": { get: Get<Page<Playbook> | Playbook[], Name> };
  "/v1/runs/{id}": { get: Get<Run, Id> };
  "/v1/runs/{id}/cancel": { post: Bare<Id, undefined, 202, Run> };
}

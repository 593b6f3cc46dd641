/** Words of the HTTP API of webhooks, one alias each over the generated types. */
import type { Reply } from "@/api/schema";
import type { components } from "@/api/schema.gen";

type Shapes = components["schemas"];

export type Endpoint = Reply<"/v1/webhooks/{endpoint}", "get">;
export type NewEndpoint = Shapes["CreateWebhook"];
export type EndpointChange = Partial<Shapes["ChangeEndpoint"]>;
export type Delivery = Reply<"/v1/webhooks/{endpoint}/deliveries", "get">["items"][number];
export type DeliveryState = Delivery["state"];
export type Attempt = Reply<"/v1/webhooks/{endpoint}/deliveries/{delivery}", "get">["tries"][number];
export type Format = Endpoint["format"];

export { EndpointPage } from "./EndpointPage";
export { WebhooksPage } from "./WebhooksPage";

export { GatewayPage } from "./GatewayPage";

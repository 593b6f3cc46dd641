export { RunPage } from "./run/RunPage";
export { RunPanel } from "./RunPanel";
export { RunsPage } from "./RunsPage";

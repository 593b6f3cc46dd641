/** What the address holds of this page; absent is the first tab, all models, 30 days, by day. */
export interface GatewayView {
  tab?: "limits" | "keys" | "spend" | undefined;
  q?: string | undefined;
  show?: "chat" | "embedding" | "deprecated" | undefined;
  days?: 7 | 90 | undefined;
  by?: "model" | "key" | "feature" | "user" | undefined;
}
export interface Viewed {
  view: GatewayView;
  onView: (change: GatewayView) => void;
}

import { getRouteApi } from "@tanstack/react-router";
import { GatewayPage } from "@/features/gateway";

const route = getRouteApi("/signed-in/gateway");

export function Gateway() {
  const view = route.useSearch();
  const navigate = route.useNavigate();
  return <GatewayPage view={view} onView={(change) => void navigate({ search: (shown) => ({ ...shown, ...change }), replace: true })} />;
}

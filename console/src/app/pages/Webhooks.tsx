import { getRouteApi } from "@tanstack/react-router";
import { EndpointPage } from "@/features/delivery";

export { WebhooksPage as Webhooks } from "@/features/delivery";

const route = getRouteApi("/signed-in/settings/webhooks/$endpointId");

export function Webhook() {
  const { endpointId } = route.useParams();
  const view = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <EndpointPage
      key={endpointId}
      endpointId={endpointId}
      view={view}
      onView={(change) => void navigate({ search: (shown) => ({ ...shown, ...change }), replace: true, resetScroll: false })}
      onDeleted={() => void navigate({ to: "/settings/webhooks" })}
    />
  );
}

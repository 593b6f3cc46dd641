import { getRouteApi } from "@tanstack/react-router";
import { ApprovalPage, InboxPage } from "@/features/approvals";

const inbox = getRouteApi("/signed-in/approvals");
const one = getRouteApi("/signed-in/approvals/$approvalId");

export function Approvals() {
  const view = inbox.useSearch();
  const navigate = inbox.useNavigate();
  return <InboxPage view={view} onView={(change) => void navigate({ search: (shown) => ({ ...shown, ...change }) })} />;
}

export function Approval() {
  const { approvalId } = one.useParams();
  return <ApprovalPage key={approvalId} approvalId={approvalId} />;
}

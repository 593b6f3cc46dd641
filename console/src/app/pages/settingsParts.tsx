import { getRouteApi } from "@tanstack/react-router";
import { PlaybookPage, PlaybooksPage } from "@/features/playbooks";

export { ApiKeysPage as ApiKeys, MembersPage as Members, TenantPage as Tenant } from "@/features/identity";
export { PlaybooksPage as Playbooks };

const route = getRouteApi("/signed-in/settings/playbooks/$name");

export function Playbook() {
  const { name } = route.useParams();
  return <PlaybookPage key={name} name={name} />;
}

import { getRouteApi } from "@tanstack/react-router";
import { ContractListPage } from "@/features/contracts";

const route = getRouteApi("/signed-in/contracts");

export function Contracts() {
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  return <ContractListPage filter={filter} onFilter={(change) => void navigate({ search: (shown) => ({ ...shown, ...change }), replace: true })} />;
}

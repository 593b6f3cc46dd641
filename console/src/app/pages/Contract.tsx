import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback } from "react";
import { Failure, Loading, Page, SkeletonLines } from "@/design";
import { ContractHeader, contractQuery, ReportPage, type ReportView } from "@/features/contracts";

const route = getRouteApi("/signed-in/contracts/$contractId");

/** One contract: its live run until there is a report, then the report. */
export function Contract() {
  const { contractId } = route.useParams();
  const view = route.useSearch();
  const navigate = route.useNavigate();
  const contract = useQuery(contractQuery(contractId));
  const onView = useCallback((change: ReportView) => {
    void navigate({ search: (shown) => ({ ...shown, ...change }), replace: true, resetScroll: false });
  }, [navigate]);
  if (contract.data === undefined) {
    return <Page>{contract.isError ? <Failure what="The contract" error={contract.error} onRetry={() => void contract.refetch()} /> : <Loading label="Loading the contract"><SkeletonLines count={9} /></Loading>}</Page>;
  }
  return (
    <>
      <ContractHeader contract={contract.data} onDeleted={() => void navigate({ to: "/contracts" })} />
      <ReportPage contractId={contractId} view={view} onView={onView} />
    </>
  );
}

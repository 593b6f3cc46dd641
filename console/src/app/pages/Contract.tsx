import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactNode, useCallback } from "react";
import type { Contract as ContractData } from "@/api/schema";
import { buttonClass, Failure, Loading, Page, SkeletonLines, State } from "@/design";
import { AnalyseAgain, ContractHeader, contractQuery, ModelText, ReportPage, type ReportView } from "@/features/contracts";
import { RunPanel } from "@/features/pipelines";

const route = getRouteApi("/signed-in/contracts/$contractId");

/** One contract: its live run until there is a report, then the report; the run's story stays reachable. */
export function Contract() {
  const { contractId } = route.useParams();
  const view = route.useSearch();
  const navigate = route.useNavigate();
  const contract = useQuery(contractQuery(contractId));
  const onView = useCallback((change: ReportView) => {
    void navigate({ search: (shown) => ({ ...shown, ...change }), replace: true, resetScroll: false });
  }, [navigate]);
  if (contract.data === undefined) {
    return (
      <Page>
        {contract.isError ? (
          <Failure what="The contract" error={contract.error} onRetry={() => void contract.refetch()} />
        ) : (
          <Loading label="Loading the contract"><SkeletonLines count={9} /></Loading>
        )}
      </Page>
    );
  }
  const ready = contract.data.latest_run?.status === "succeeded";
  const showsRun = !ready || view.view === "run";
  return (
    <>
      <ContractHeader contract={contract.data} onDeleted={() => void navigate({ to: "/contracts" })}>
        {ready && (
          <Link to="/contracts/$contractId" params={{ contractId }} search={showsRun ? {} : { view: "run" }} className={buttonClass("plain")}>
            {showsRun ? "Report" : "Run"}
          </Link>
        )}
      </ContractHeader>
      {showsRun ? <RunOf contract={contract.data} /> : <ReportPage contractId={contractId} view={view} onView={onView} />}
    </>
  );
}

function RunOf({ contract }: { contract: ContractData }) {
  const queryClient = useQueryClient();
  const run = contract.latest_run;
  if (run === null) {
    return <State icon="play" title="Not analysed yet" actions={<AnalyseAgain contractId={contract.id} />} />;
  }
  const refresh = () => {
    void queryClient.invalidateQueries({ queryKey: ["contract", contract.id] });
    void queryClient.invalidateQueries({ queryKey: ["contracts"] });
  };
  return <RunPanel key={run.id} run={run} onEnded={refresh} frameModelText={(words: ReactNode) => <ModelText text={words} />} retry={<AnalyseAgain contractId={contract.id} />} />;
}

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense, useCallback } from "react";
import type { Contract as ContractData } from "@/api/schema";
import { buttonClass, Failure, Loading, Page, SkeletonLines, State } from "@/design";
import { AnalyseAgain, ContractHeader, contractQuery, ModelText, ReportPage, type ReportView } from "@/features/contracts";
import { RunPanel } from "@/features/pipelines";
import type { ContractSearch } from "../search";

// Fetched only when a search hit leads here.
const PlacedText = lazy(() => import("@/features/knowledge").then((feature) => ({ default: feature.PlacedText })));

const route = getRouteApi("/signed-in/contracts/$contractId");

/** One contract: its live run until there is a report, then the report; the run's story stays reachable. */
export function Contract() {
  const { contractId } = route.useParams();
  const view = route.useSearch();
  const navigate = route.useNavigate();
  const contract = useQuery(contractQuery(contractId));
  const onView = useCallback((change: ReportView & Pick<ContractSearch, "chunks">) => {
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
  const showsPlace = view.start !== undefined && view.end !== undefined;
  return (
    <>
      <ContractHeader contract={contract.data} onDeleted={() => void navigate({ to: "/contracts" })}>
        {(ready || showsPlace) && <OtherView contractId={contractId} ready={ready} aside={showsRun || showsPlace} />}
      </ContractHeader>
      {showsPlace ? (
        // A contract and its document share their id.
        <Suspense>
          <PlacedText documentId={contractId.replace(/^ctr_/, "doc_")} view={view} onView={onView} />
        </Suspense>
      ) : showsRun ? <RunOf contract={contract.data} /> : <ReportPage contractId={contractId} view={view} onView={onView} />}
    </>
  );
}

/** From the run or a place to the report, and from the report to the run. */
function OtherView({ contractId, ready, aside }: { contractId: string; ready: boolean; aside: boolean }) {
  return (
    <Link to="/contracts/$contractId" params={{ contractId }} search={aside ? {} : { view: "run" }} className={buttonClass("plain")}>
      {ready && aside ? "Report" : "Run"}
    </Link>
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

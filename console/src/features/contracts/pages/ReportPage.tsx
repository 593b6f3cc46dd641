import { useQuery } from "@tanstack/react-query";
import { Failure, Loading, SkeletonLines } from "@/design";
import { reportQuery, textQuery } from "../queries";
import { type ReportView, ReportWorkspace } from "../report/ReportWorkspace";
import s from "../report/report.module.css";

/** The report of an analysed contract beside the contract's text. */
export function ReportPage({ contractId, view, onView }: { contractId: string; view: ReportView; onView: (change: ReportView) => void }) {
  const report = useQuery(reportQuery(contractId));
  const text = useQuery(textQuery(contractId));
  if (report.data !== undefined) {
    return <ReportWorkspace key={report.data.run_id} report={report.data} text={text.data} textError={text.error} onRetryText={() => void text.refetch()} view={view} onView={onView} />;
  }
  if (report.isError) return <Failure what="The report" error={report.error} onRetry={() => void report.refetch()} />;
  return (
    <Loading label="Loading the report">
      <div className={s.workspace}>
        <div className={s.sideSkeleton}><SkeletonLines count={16} /></div>
        <div className={s.textSkeleton}><SkeletonLines count={22} /></div>
      </div>
    </Loading>
  );
}

export { ContractListPage } from "./pages/ContractListPage";
export { ReportPage } from "./pages/ReportPage";
export { AnalyseAgain } from "./components/AnalyseAgain";
export { contractQuery } from "./queries";
export { ModelText } from "./report/ModelText";
export { ContractHeader } from "./report/ReportHeader";
export type { ReportView } from "./report/ReportWorkspace";

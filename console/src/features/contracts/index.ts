export { ContractListPage } from "./pages/ContractListPage";

export { PlaybookPage } from "./pages/PlaybookPage";
export { PlaybooksPage } from "./pages/PlaybooksPage";

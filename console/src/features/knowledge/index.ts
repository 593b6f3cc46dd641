export { DocumentPage, PlacedText } from "./DocumentPage";
export { KnowledgePage } from "./KnowledgePage";
export { SearchPage } from "./search/SearchPage";

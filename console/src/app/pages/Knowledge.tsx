import { getRouteApi } from "@tanstack/react-router";
import { DocumentPage, KnowledgePage, SearchPage } from "@/features/knowledge";

const list = getRouteApi("/signed-in/knowledge");
const one = getRouteApi("/signed-in/knowledge/documents/$documentId");
const search = getRouteApi("/signed-in/search");

export function Knowledge() {
  const view = list.useSearch();
  const navigate = list.useNavigate();
  return <KnowledgePage view={view} onView={(change) => void navigate({ search: (shown) => ({ ...shown, ...change }), replace: true })} />;
}

export function KnowledgeDocument() {
  const { documentId } = one.useParams();
  const view = one.useSearch();
  const navigate = one.useNavigate();
  return (
    <DocumentPage
      key={documentId}
      documentId={documentId}
      view={view}
      onView={(change) => void navigate({ search: (shown) => ({ ...shown, ...change }), replace: true, resetScroll: false })}
      onDeleted={() => void navigate({ to: "/knowledge" })}
    />
  );
}

export function Search() {
  const view = search.useSearch();
  const navigate = search.useNavigate();
  return <SearchPage view={view} onView={(change, isNew) => void navigate({ search: (shown) => ({ ...shown, ...change }), replace: !isNew })} />;
}

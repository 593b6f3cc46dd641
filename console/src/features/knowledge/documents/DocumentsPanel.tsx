import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useAllowance } from "@/api/session";
import { Button, Card, Failure, Row, SearchBox, Segments, Select, State } from "@/design";
import { documentsQuery } from "../queries";
import type { DocumentStatus, KnowledgeDocument } from "../shapes";
import { sourcesQuery } from "../sources/queries";
import type { Viewed } from "../view";
import { BUILT_IN } from "../words";
import { DocumentTable, TableSkeleton } from "./DocumentTable";
import { StatusTiles } from "./StatusTiles";
import { UploadButton, UploadPanel } from "./UploadPanel";

const STATUSES: { value: DocumentStatus | "all"; label: string }[] = [
  { value: "all", label: "All" },
  { value: "indexed", label: "Indexed" },
  { value: "pending", label: "In the queue" },
  { value: "failed", label: "Failed" },
];

export function DocumentsPanel({ view, onView }: Viewed) {
  const list = useInfiniteQuery(documentsQuery(view));
  return (
    <>
      <UploadPanel />
      <StatusTiles view={view} onView={onView} />
      <Filters view={view} onView={onView} />
      {list.isPending ? (
        <TableSkeleton />
      ) : list.isError && list.data === undefined ? (
        <Card><Failure what="The list of documents" error={list.error} onRetry={() => void list.refetch()} /></Card>
      ) : (
        <Listing documents={list.data?.pages.flatMap((page) => page.items) ?? []} stale={list.isPlaceholderData} view={view} onView={onView} />
      )}
      {list.hasNextPage && <Row justify="center"><Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>Show more</Button></Row>}
    </>
  );
}

function Filters({ view, onView }: Viewed) {
  const sources = useQuery(sourcesQuery);
  const names = [...new Set([...BUILT_IN, ...(sources.data ?? []).map(({ name }) => name), ...(view.source === undefined ? [] : [view.source])])];
  return (
    <Row wrap gap={3}>
      <SearchBox label="Search documents by name or title" placeholder="Search by name or title" value={view.q ?? ""} onChange={(q) => { onView({ q: q === "" ? undefined : q }); }} />
      <Segments label="Status" value={view.status ?? "all"} onChange={(status) => { onView({ status: status === "all" ? undefined : status }); }} options={STATUSES} />
      <Select aria-label="Source" value={view.source ?? ""} onChange={(event) => { onView({ source: event.target.value === "" ? undefined : event.target.value }); }}>
        <option value="">All sources</option>
        {names.map((name) => <option key={name} value={name}>{name}</option>)}
      </Select>
    </Row>
  );
}

function Listing({ documents, stale, view, onView }: Viewed & { documents: KnowledgeDocument[]; stale: boolean }) {
  const may = useAllowance("knowledge.edit");
  if (documents.length > 0) return <DocumentTable documents={documents} stale={stale} />;
  if (view.q !== undefined || view.status !== undefined || view.source !== undefined) {
    return (
      <Card>
        <State icon="search" title="No document matches" actions={<Button onClick={() => { onView({ q: undefined, status: undefined, source: undefined }); }}>Clear search and filters</Button>}>
          <p>This list is searched by names and titles. To find words inside documents, use Search.</p>
        </State>
      </Card>
    );
  }
  return (
    <Card>
      <State icon="upload" title="Drop documents here to begin" actions={<UploadButton denied={may.reason} />}>
        <p>PDF, Office, HTML, mail, Markdown, CSV or text, several at once. Each is read, cut into passages and made searchable while you watch.</p>
      </State>
    </Card>
  );
}

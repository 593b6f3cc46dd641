import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Contract, RunStatus } from "@/api/schema";
import { useAllowance } from "@/api/session";
import { Button, Card, Failure, Page, PageHead, Row, SearchBox, Segments, State } from "@/design";
import { ContractTable, TableSkeleton } from "../components/ContractTable";
import { DropArea, UploadButton, UploadInput } from "../components/DropArea";
import { UploadPanel } from "../components/UploadPanel";
import { contractsQuery, type ListFilter } from "../queries";
import { whenUploaded } from "../uploads";
import s from "../list.module.css";

const STATUSES: { value: RunStatus | ""; label: string }[] = [
  { value: "", label: "All" },
  { value: "succeeded", label: "Analysed" },
  { value: "running", label: "Running" },
  { value: "failed", label: "Failed" },
];

export function ContractListPage({ filter, onFilter }: { filter: ListFilter; onFilter: (change: ListFilter) => void }) {
  const queryClient = useQueryClient();
  const mayUpload = useAllowance("contract.upload");
  const list = useInfiniteQuery(contractsQuery(filter));
  // Synchronizes the list with the upload queue, which lives outside React.
  useEffect(() => {
    whenUploaded(() => void queryClient.invalidateQueries({ queryKey: ["contracts"] }));
  }, [queryClient]);
  return (
    <Page>
      <DropArea denied={mayUpload.reason} />
      <UploadInput />
      <PageHead title="Contracts" lead="Each is read, split by clause, classified and checked against a playbook.">
        <UploadButton denied={mayUpload.reason} />
      </PageHead>
      <UploadPanel />
      <Row wrap gap={3}>
        <SearchBox label="Search contracts by name or title" placeholder="Search by name or title" value={filter.q ?? ""} onChange={(q) => { onFilter({ q: q === "" ? undefined : q }); }} />
        <Segments label="Status" value={filter.status ?? ""} onChange={(status) => { onFilter({ status: status === "" ? undefined : status }); }} options={STATUSES} />
      </Row>
      {list.isPending ? (
        <TableSkeleton />
      ) : list.isError && list.data === undefined ? (
        <Card><Failure what="The list of contracts" error={list.error} onRetry={() => void list.refetch()} /></Card>
      ) : (
        <Listing
          contracts={list.data?.pages.flatMap((page) => page.items) ?? []}
          stale={list.isPlaceholderData}
          filtered={filter.q !== undefined || filter.status !== undefined}
          onClear={() => { onFilter({ q: undefined, status: undefined }); }}
          denied={mayUpload.reason}
        />
      )}
      {list.hasNextPage && (
        <Row justify="center">
          <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>Show more</Button>
        </Row>
      )}
    </Page>
  );
}

interface ListingProps {
  contracts: Contract[];
  stale: boolean;
  filtered: boolean;
  onClear: () => void;
  denied: string | undefined;
}

function Listing({ contracts, stale, filtered, onClear, denied }: ListingProps) {
  if (contracts.length > 0) return <ContractTable contracts={contracts} stale={stale} />;
  if (filtered) {
    return (
      <Card>
        <State icon="search" title="No contract matches" actions={<Button onClick={onClear}>Clear search and filter</Button>}>
          <p>The search looks at names and titles. Try a part of one, or another status.</p>
        </State>
      </Card>
    );
  }
  return (
    <Card className={s.empty}>
      <State icon="upload" title="Drop a contract here to begin" actions={<UploadButton denied={denied}>Choose files</UploadButton>}>
        <p>PDF with a text layer, Word, plain text or Markdown, several at once. You watch it being read and get a report in which every claim points at its place in the text.</p>
      </State>
    </Card>
  );
}

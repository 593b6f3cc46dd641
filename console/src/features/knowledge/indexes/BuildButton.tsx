import { useQuery } from "@tanstack/react-query";
import { useAllowance } from "@/api/session";
import { Button, toast } from "@/design";
import { indexesQuery, useIndexChanges } from "./queries";

/** Starts a new index by the present settings, or goes on with the one that is being built. */
export function BuildButton({ children = "Build the new index" }: { children?: string }) {
  const may = useAllowance("knowledge.manage");
  const indexes = useQuery(indexesQuery);
  const { rebuild } = useIndexChanges();
  const isBuilding = indexes.data?.items.some(({ status }) => status === "building") === true;
  return (
    <Button
      icon="refresh"
      busy={rebuild.isPending}
      denied={may.reason ?? (isBuilding ? "An index is being built already" : undefined)}
      onClick={() => {
        rebuild.mutate(undefined, {
          onSuccess: ({ index }) => { toast(`Index ${index.number} is being built`); },
          onError: (error) => { toast(error.message, { tone: "critical" }); },
        });
      }}
    >
      {children}
    </Button>
  );
}

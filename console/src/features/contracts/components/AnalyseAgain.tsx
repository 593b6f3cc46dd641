import { useAllowance } from "@/api/session";
import { Button, toast } from "@/design";
import { useAnalyseAgain } from "../queries";

export function AnalyseAgain({ contractId }: { contractId: string }) {
  const again = useAnalyseAgain();
  const { reason } = useAllowance("ai.analysis.trigger");
  return (
    <Button tone="primary" icon="refresh" busy={again.isPending} denied={reason} onClick={() => { again.mutate({ id: contractId }, { onError: (error) => { toast(error.message, { tone: "critical" }); } }); }}>
      Analyse again
    </Button>
  );
}

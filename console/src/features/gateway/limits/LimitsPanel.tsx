import { useQuery } from "@tanstack/react-query";
import { Card, Failure, Loading, SkeletonLines } from "@/design";
import { policyQuery } from "../queries";
import { LimitsCard } from "./LimitsCard";
import { RulesCard } from "./RulesCard";
import { WholePolicyCard } from "./WholePolicyCard";

export function LimitsPanel() {
  const policy = useQuery(policyQuery);
  if (policy.isError) return <Card><Failure what="The policy" error={policy.error} onRetry={() => void policy.refetch()} /></Card>;
  if (policy.data === undefined) return <Loading label="Loading the policy"><Card><SkeletonLines count={8} /></Card></Loading>;
  return (
    <>
      <LimitsCard stored={policy.data} />
      <RulesCard stored={policy.data} />
      <WholePolicyCard stored={policy.data} />
    </>
  );
}

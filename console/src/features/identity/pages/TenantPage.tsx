import { useQuery } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import type { Tenant } from "@/api/schema";
import { useAllowance } from "@/api/session";
import { Button, Card, Failure, Field, Input, Loading, Notice, onDay, SkeletonLines, Switch, Text, toast } from "@/design";
import { tenantQuery, useChangeTenant } from "../queries";
import s from "../identity.module.css";

export function TenantPage() {
  const tenant = useQuery(tenantQuery);
  if (tenant.isError) return <Card><Failure what="The tenant" error={tenant.error} onRetry={() => void tenant.refetch()} /></Card>;
  if (tenant.data === undefined) return <Loading label="Loading the tenant"><Card><SkeletonLines count={6} /></Card></Loading>;
  return (
    <>
      <AiCard tenant={tenant.data} />
      <NameCard key={tenant.data.name} tenant={tenant.data} />
    </>
  );
}

function AiCard({ tenant }: { tenant: Tenant }) {
  const may = useAllowance("tenant.manage");
  const change = useChangeTenant();
  return (
    <Card label="Language models">
      <div className={s.setting}>
        <div>
          <h2>Language models</h2>
          <Text as="p" tone="soft">
            {tenant.ai_enabled
              ? "Model calls are allowed. Every result names the way it was found, and the small local model's own words stay apart as unverified."
              : "No model is called for this tenant. Contracts are analysed by the trained classifier and the playbook's rules alone."}
          </Text>
        </div>
        <Switch
          label="Allow language models"
          checked={tenant.ai_enabled}
          denied={may.reason}
          busy={change.isPending}
          onChange={(on) => {
            change.mutate({ ai_enabled: on }, { onSuccess: () => { toast(on ? "Language models are allowed from the next run on" : "Language models are off from the next run on"); } });
          }}
        />
      </div>
      {change.error && <Notice tone="critical" title="Not changed">{change.error.message}</Notice>}
    </Card>
  );
}

function NameCard({ tenant }: { tenant: Tenant }) {
  const may = useAllowance("tenant.manage");
  const change = useChangeTenant();
  const [name, setName] = useState(tenant.name);
  function save(event: SyntheticEvent) {
    event.preventDefault();
    if (name.trim() !== "" && name !== tenant.name && may.allowed) change.mutate({ name: name.trim() }, { onSuccess: () => { toast("Name saved"); } });
  }
  return (
    <Card label="Name">
      <form className={s.form} onSubmit={save}>
        <Field label="Name of the tenant" hint={`Short name ${tenant.slug}, since ${onDay(tenant.created_at)}`} error={change.error?.message}>
          <Input value={name} maxLength={120} readOnly={!may.allowed} onChange={(event) => { setName(event.target.value); }} />
        </Field>
        <Button type="submit" busy={change.isPending} denied={may.reason}>Save the name</Button>
      </form>
    </Card>
  );
}

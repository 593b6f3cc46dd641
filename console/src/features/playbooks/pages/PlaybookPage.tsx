import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { ApiError } from "@/api/problem";
import type { PlaybookDetail } from "@/api/schema";
import { useAllowance } from "@/api/session";
import { Badge, Button, Card, count, Failure, Icon, Loading, Notice, Row, Select, SkeletonLines, Text, toast } from "@/design";
import { onDay } from "@/design";
import { YamlEditor } from "../components/YamlEditor";
import { playbookQuery, useSavePlaybook, versionsQuery } from "../queries";
import { objections } from "../yaml";
import s from "../playbooks.module.css";

export function PlaybookPage({ name }: { name: string }) {
  const [version, setVersion] = useState<number | undefined>();
  const playbook = useQuery(playbookQuery(name, version));
  const versions = useQuery(versionsQuery(name));
  const newest = versions.data?.reduce((most, each) => Math.max(most, each.version), 0);
  return (
    <Card pad={false} label={`Playbook ${name}`}>
      <header className={s.head}>
        <Link to="/settings/playbooks" className={s.back}><Icon name="left" size={14} /> All playbooks</Link>
        <Row gap={2} wrap justify="space-between">
          <Row gap={2} wrap>
            <h2>{playbook.data?.title ?? name}</h2>
            {playbook.data?.is_default === true && <Badge tone="accent">default</Badge>}
          </Row>
          {versions.data !== undefined && versions.data.length > 1 && (
            <Select aria-label="Version" value={version ?? newest} onChange={(event) => { setVersion(Number(event.target.value) === newest ? undefined : Number(event.target.value)); }}>
              {versions.data.map((each) => <option key={each.version} value={each.version}>Version {each.version}, {each.updated_at === null ? "as shipped" : onDay(each.updated_at)}</option>)}
            </Select>
          )}
        </Row>
      </header>
      {playbook.isError ? (
        <Failure what="The playbook" error={playbook.error} onRetry={() => void playbook.refetch()} />
      ) : playbook.data === undefined ? (
        <Loading label="Loading the playbook"><div className={s.padded}><SkeletonLines count={12} /></div></Loading>
      ) : (
        <Editing key={playbook.data.version} playbook={playbook.data} isOld={version !== undefined} />
      )}
    </Card>
  );
}

function Editing({ playbook, isOld }: { playbook: PlaybookDetail; isOld: boolean }) {
  const may = useAllowance("playbook.edit");
  const save = useSavePlaybook(playbook.name);
  const [yaml, setYaml] = useState(playbook.yaml);
  const changed = yaml !== playbook.yaml;
  const refusal = save.error instanceof ApiError ? save.error : null;
  const wrong = refusal?.status === 422 ? objections(refusal) : [];
  const store = (part: { is_default?: boolean }) => {
    save.mutate({ yaml, base_version: isOld ? undefined : playbook.version, ...part }, { onSuccess: (saved) => { toast(`Version ${saved.version} of ${saved.name} is in use from the next run on`); } });
  };
  return (
    <>
      {wrong.length > 0 && (
        <div className={s.padded} id="yaml-objections">
          <Notice tone="critical" title="Not saved: the playbook is not valid">
            {wrong.map((each) => <p key={`${each.line}${each.message}`}>{each.line !== null && <strong className={s.lineName}>Line {each.line}</strong>} {each.message}</p>)}
          </Notice>
        </div>
      )}
      {refusal !== null && refusal.status !== 422 && (
        <div className={s.padded}>
          <Notice tone="critical" title={refusal.status === 409 ? "Someone saved another version meanwhile" : "Not saved"}>{refusal.message}</Notice>
        </div>
      )}
      <YamlEditor
        label={`YAML of ${playbook.name}`}
        value={yaml}
        readOnly={!may.allowed}
        objections={wrong}
        onChange={(next) => {
          setYaml(next);
          if (save.error !== null) save.reset();
        }}
      />
      <footer className={s.foot}>
        <Text tone="faint" size="s">{count(playbook.rules, "rule")}, version {playbook.version}. Saving makes a new version; reports keep naming the one they used.</Text>
        <Row gap={2}>
          {changed && <Button onClick={() => { setYaml(playbook.yaml); save.reset(); }}>Discard</Button>}
          {!playbook.is_default && <Button denied={may.reason} busy={save.isPending} onClick={() => { store({ is_default: true }); }}>Make it the default</Button>}
          <Button tone="primary" busy={save.isPending} denied={may.reason ?? (changed || isOld ? undefined : "Nothing was changed")} onClick={() => { store({}); }}>
            {isOld ? "Bring this version back" : "Save as new version"}
          </Button>
        </Row>
      </footer>
    </>
  );
}

import { useInfiniteQuery } from "@tanstack/react-query";
import { useAllowance, useSession } from "@/api/session";
import { ago, Badge, Button, Card, Failure, Loading, Row, SkeletonLines, Text, toast } from "@/design";
import type { CurrentSettings, SettingsVersion } from "../shapes";
import { differences, flatten } from "./form";
import { useSaveSettings, versionsQuery } from "./queries";
import s from "./settings.module.css";

/** Every version that was saved; an old one is brought back by saving it again. */
export function VersionsCard({ current }: { current: CurrentSettings }) {
  const versions = useInfiniteQuery(versionsQuery);
  const items = versions.data?.pages.flatMap((page) => page.items);
  return (
    <Card pad={false} label="Versions">
      <header className={s.head}>
        <h2>Versions</h2>
        <Text as="p" tone="faint" size="s">Undo a change by saving an old version again</Text>
      </header>
      {items === undefined ? (
        versions.isError ? <Failure what="The versions" error={versions.error} onRetry={() => void versions.refetch()} /> : <Loading label="Loading the versions"><div className={s.padded}><SkeletonLines count={2} /></div></Loading>
      ) : (
        <ul className={s.versions}>{items.map((version) => <Version key={version.version} version={version} current={current} />)}</ul>
      )}
      {versions.hasNextPage && <Row justify="center" className={s.padded}><Button busy={versions.isFetchingNextPage} onClick={() => void versions.fetchNextPage()}>Show more</Button></Row>}
    </Card>
  );
}

function Version({ version, current }: { version: SettingsVersion; current: CurrentSettings }) {
  const may = useAllowance("knowledge.manage");
  const session = useSession();
  const save = useSaveSettings();
  const isCurrent = version.version === current.version;
  const changes = differences(flatten(current.value), flatten(version.value));
  const who = version.created_by === session.user?.id ? "you" : version.created_by;
  const restore = () => {
    save.mutate({ value: version.value, base_version: current.version, note: `As version ${version.version}` }, {
      onSuccess: (saved) => { toast(`Version ${version.version} holds again, as version ${saved.version}`); },
      onError: (error) => { toast(error.message, { tone: "critical" }); },
    });
  };
  return (
    <li>
      <div>
        <Row gap={2} wrap>
          <strong>{version.version === 0 ? "The defaults" : `Version ${version.version}`}</strong>
          {isCurrent && <Badge tone="good" icon="check">Present</Badge>}
        </Row>
        {version.created_at !== null && <Text as="p" tone="faint" size="s">Saved {ago(version.created_at)} by {who}{version.note !== null && `: ${version.note}`}</Text>}
        {!isCurrent && changes.length > 0 && (
          <details className={s.changes}>
            <summary>What would change</summary>
            <ul>{changes.map((change) => <li key={change}>{change}</li>)}</ul>
          </details>
        )}
      </div>
      {!isCurrent && <Button size="s" icon="undo" busy={save.isPending} denied={may.reason ?? (changes.length === 0 ? "It says the same as the present one" : undefined)} aria-label={`Save it again: version ${version.version}`} onClick={restore}>Save it again</Button>}
    </li>
  );
}

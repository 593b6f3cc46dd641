import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ago, Badge, Card, count, Failure, Icon, Loading, Row, SkeletonLines, State, Text, words } from "@/design";
import { playbooksQuery } from "../queries";
import s from "../playbooks.module.css";

export function PlaybooksPage() {
  const playbooks = useQuery(playbooksQuery);
  return (
    <Card pad={false} label="Playbooks">
      <header className={s.head}>
        <h2>Playbooks</h2>
        <Text tone="faint" size="s">Which clauses a contract must, may and must not hold, and how much each matters</Text>
      </header>
      {playbooks.isError ? (
        <Failure what="The playbooks" error={playbooks.error} onRetry={() => void playbooks.refetch()} />
      ) : playbooks.data === undefined ? (
        <Loading label="Loading the playbooks"><div className={s.padded}><SkeletonLines /></div></Loading>
      ) : playbooks.data.length === 0 ? (
        <State icon="book" title="No playbooks"><p>The tenant has none. Contracts are then classified, but not assessed.</p></State>
      ) : (
        <ul className={s.rows}>
          {playbooks.data.map((playbook) => (
            <li key={playbook.name}>
              <span className={s.glyph}><Icon name="book" size={18} /></span>
              <div>
                <Row gap={2} wrap>
                  <Link to="/settings/playbooks/$name" params={{ name: playbook.name }} className={s.link}>{playbook.title}</Link>
                  {playbook.is_default && <Badge tone="accent">default</Badge>}
                </Row>
                <Text as="p" tone="faint" size="s">{words(playbook.side)} side, {count(playbook.rules, "rule")}, version {playbook.version}, {playbook.updated_at === null ? "as shipped" : `changed ${ago(playbook.updated_at)}`}</Text>
              </div>
              <Icon name="right" size={15} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

import { ago, atTime, Card, CardHead, JsonView, RowMain, Rows, Row, Text, words } from "@/design";
import type { HistoryEntry } from "./shapes";

/** All that happened to an approval; entries are never changed. */
export function History({ entries, hand }: { entries: readonly HistoryEntry[]; hand: (hand: string) => string }) {
  return (
    <Card pad={false} label="History">
      <CardHead title="History" />
      <Rows label="History">
        {entries.map((entry, index) => (
          <li key={index} data-event={entry.event}>
            <RowMain>
              <Row gap={2} wrap>
                <strong>{words(entry.event)}</strong>
                {entry.by !== null && <Text tone="soft" size="s">by {entry.by_name ?? hand(entry.by)}</Text>}
                <Text tone="faint" size="s"><time dateTime={entry.at} title={atTime(entry.at)}>{ago(entry.at)}</time></Text>
              </Row>
              {entry.reason !== null && <Text as="p" tone="soft" size="s">{entry.reason}</Text>}
              {typeof entry.facts.to === "string" && <Text as="p" tone="soft" size="s">To {hand(entry.facts.to)}</Text>}
              {entry.event === "edited" && entry.arguments !== null && <JsonView label={`Arguments of revision ${entry.revision}`} value={entry.arguments} />}
              <Text as="p" tone="faint" size="xs" mono title={entry.digest}>{entry.digest.slice(0, 16)}, revision {entry.revision}</Text>
            </RowMain>
          </li>
        ))}
      </Rows>
    </Card>
  );
}

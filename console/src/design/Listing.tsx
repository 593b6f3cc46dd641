/** What lists are made of: tabs over a page, heads of cards, rows, facts, tables that become cards where room is short. */
import type { ReactNode } from "react";
import { Button } from "./Button";
import { Card, Row } from "./Layout";
import { Failure, Loading, SkeletonLines } from "./States";
import s from "./listing.module.css";
import { TabPanel, Tabs, type TabSpec } from "./Tabs";

/** Tabs of a whole page; what stands inside is the panel of the chosen one. */
export function PageTabs<T extends string>({ tabs, value, onChange, label, children }: { tabs: TabSpec<T>[]; value: T; onChange: (value: T) => void; label: string; children: ReactNode }) {
  return (
    <Tabs tabs={tabs} value={value} onChange={onChange} label={label} className={s.tabs}>
      <TabPanel value={value} className={s.panel}>{children}</TabPanel>
    </Tabs>
  );
}

export function CardHead({ title, lead, children }: { title: string; lead?: ReactNode; children?: ReactNode }) {
  return (
    <header className={s.head}>
      <div>
        <h2>{title}</h2>
        {lead !== undefined && <p>{lead}</p>}
      </div>
      {children !== undefined && <Row gap={2} wrap>{children}</Row>}
    </header>
  );
}

export function Rows({ label, children }: { label: string; children: ReactNode }) {
  return <ul className={s.rows} aria-label={label}>{children}</ul>;
}

/** The words of a row; what can be done stands beside it. */
export function RowMain({ children }: { children: ReactNode }) {
  return <div className={s.rowMain}>{children}</div>;
}

export const rowLinkClass = s.rowLink;

/** Names and values; those that are null or undefined are left out. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className={s.facts}>
      {facts.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A table whose rows become cards where room is short: give each cell its `data-label`. */
export function Table({ caption, columns, stale, children }: { caption: string; columns: readonly string[]; stale?: boolean; children: ReactNode }) {
  return (
    <table className={s.table} aria-busy={stale || undefined} data-stale={stale || undefined}>
      <caption className="visually-hidden">{caption}</caption>
      <thead>
        <tr>{columns.map((column) => <th key={column} scope="col">{column}</th>)}</tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}

interface Asked<T> {
  data: T | undefined;
  error: Error | null;
  refetch: () => unknown;
}

/** What was asked for, or that it is on its way, or why it is not there. */
export function Arriving<T>({ query, what, children, lines = 4 }: { query: Asked<T>; what: string; children: (data: T) => ReactNode; lines?: number }) {
  if (query.data !== undefined) return children(query.data);
  if (query.error !== null) return <Card><Failure what={what} error={query.error} onRetry={() => { void query.refetch(); }} /></Card>;
  return <Loading label={`Loading: ${what}`}><Card><SkeletonLines count={lines} /></Card></Loading>;
}

/** The button under a list that has more. */
export function More({ list }: { list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown } }) {
  if (!list.hasNextPage) return null;
  return <Row justify="center"><Button busy={list.isFetchingNextPage} onClick={() => { void list.fetchNextPage(); }}>Show more</Button></Row>;
}

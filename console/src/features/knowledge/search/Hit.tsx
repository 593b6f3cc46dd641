import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { Button, Card, count, Icon } from "@/design";
import type { Passage } from "../shapes";
import { excerptOf } from "./excerpt";
import { Explained } from "./Explained";
import s from "./search.module.css";

/** One passage with its quote marked; its title opens the document at the place. */
export function Hit({ passage }: { passage: Passage }) {
  const [whole, setWhole] = useState(false);
  const { before, quote, after, isCut } = excerptOf(passage, whole);
  const { document, heading_path, page, number, similar, explanation } = passage;
  const where = [document.source, page !== null && `page ${page}`, number !== null && `no. ${number}`].filter((part) => part !== false).join(", ");
  return (
    <Card as="li" className={s.hit}>
      <div className={s.hitHead}>
        <h2><PlaceLink passage={passage}>{document.name}</PlaceLink></h2>
        <Score value={passage.score} />
      </div>
      <p className={s.where}>{where}{heading_path.length > 0 && <> · {heading_path.join(" › ")}</>}</p>
      <blockquote className={s.passage}>{tight(before)}{quote !== "" && <mark>{tight(quote)}</mark>}{tight(after)}</blockquote>
      <div className={s.hitFoot}>
        {(isCut || whole) && <Button size="s" tone="quiet" icon={whole ? undefined : "down"} onClick={() => { setWhole(!whole); }}>{whole ? "Show less" : "Show the whole passage"}</Button>}
        {similar > 0 && <span className={s.where}>{count(similar, "more hit")} saying nearly the same</span>}
        {document.uri !== null && /^https?:/.test(document.uri) && <a href={document.uri} target="_blank" rel="noreferrer">Where it came from</a>}
      </div>
      {explanation !== null && (
        <details className={s.explain}>
          <summary><Icon name="right" size={13} /> Explain</summary>
          <Explained explanation={explanation} />
        </details>
      )}
    </Card>
  );
}

/** Without the empty lines between paragraphs: an answer is skimmed. */
function tight(text: string): string {
  return text.replace(/\n{2,}/g, "\n");
}

/** A contract and its document share their id; a contract opens as one. */
function PlaceLink({ passage, children }: { passage: Passage; children: ReactNode }) {
  const { document, citation } = passage;
  const search = { start: citation.start, end: citation.end };
  if (document.source === "contracts") {
    return <Link to="/contracts/$contractId" params={{ contractId: document.id.replace(/^doc_/, "ctr_") }} search={search}>{children}</Link>;
  }
  return <Link to="/knowledge/documents/$documentId" params={{ documentId: document.id }} search={search}>{children}</Link>;
}

function Score({ value }: { value: number }) {
  return (
    <span className={s.score} title="Comparable within one answer only">
      <span className={s.track} aria-hidden><span style={{ width: `${Math.round(value * 100)}%` }} /></span>
      <span><span className="visually-hidden">score </span>{value.toFixed(2)}</span>
    </span>
  );
}

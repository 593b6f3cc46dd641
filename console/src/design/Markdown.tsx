/**
 * Markdown that may quote anybody, as text: no HTML, no images, nothing that loads by itself; a link shows where it leads.
 * Headings, paragraphs, lists, quotes, fenced code, bold, italic and code are all there is.
 */
import { Fragment, type ReactNode } from "react";
import s from "./markdown.module.css";

export interface MarkdownProps {
  text: string;
  /** Renders a link of the text in another way; null leaves it to the usual one. */
  renderLink?: ((label: string, address: string) => ReactNode) | undefined;
}
type LinkWay = MarkdownProps["renderLink"];

type Block =
  | { kind: "heading"; text: string }
  | { kind: "paragraph" | "quote" | "code"; text: string }
  | { kind: "list"; ordered: boolean; items: string[] };

export function Markdown({ text, renderLink }: MarkdownProps) {
  return <div className={s.markdown}>{blocksOf(text).map((block, index) => <OneBlock key={index} block={block} way={renderLink} />)}</div>;
}

function OneBlock({ block, way }: { block: Block; way: LinkWay }) {
  switch (block.kind) {
    case "heading":
      return <p className={s.heading}>{inline(block.text, way)}</p>;
    case "paragraph":
      return <p>{lines(block.text, way)}</p>;
    case "quote":
      return <blockquote>{lines(block.text, way)}</blockquote>;
    case "code":
      return <pre><code>{block.text}</code></pre>;
    case "list": {
      const Tag = block.ordered ? "ol" : "ul";
      return <Tag>{block.items.map((item, index) => <li key={index}>{lines(item, way)}</li>)}</Tag>;
    }
  }
}

function lines(text: string, way: LinkWay): ReactNode {
  return text.split("\n").map((line, index) => <Fragment key={index}>{index > 0 && <br />}{inline(line, way)}</Fragment>);
}

const ITEM = /^\s{0,3}(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;

export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let code: string[] | null = null;
  for (const line of text.replaceAll("\r\n", "\n").split("\n")) {
    if (/^\s{0,3}(```|~~~)/.test(line)) {
      if (code !== null) blocks.push({ kind: "code", text: code.join("\n") });
      code = code === null ? [] : null;
    } else if (code !== null) code.push(line);
    else addLine(blocks, line);
  }
  if (code !== null) blocks.push({ kind: "code", text: code.join("\n") });
  return blocks.filter((block) => block.kind === "list" || block.kind === "code" || block.text !== "");
}

function addLine(blocks: Block[], line: string): void {
  const heading = /^\s{0,3}#{1,6}\s+(.*?)\s*#*$/.exec(line);
  const item = ITEM.exec(line);
  const quote = /^\s{0,3}>\s?(.*)$/.exec(line);
  if (line.trim() === "") blocks.push({ kind: "paragraph", text: "" });
  else if (heading !== null) blocks.push({ kind: "heading", text: heading[1] ?? "" });
  else if (item !== null) addItem(blocks, item[1] !== undefined, item[2] ?? "");
  else if (quote !== null) joinLine(blocks, "quote", quote[1] ?? "");
  else if (!joinItem(blocks.at(-1), line)) joinLine(blocks, "paragraph", line);
}

function addItem(blocks: Block[], ordered: boolean, text: string): void {
  const last = blocks.at(-1);
  if (last?.kind === "list" && last.ordered === ordered) last.items.push(text);
  else blocks.push({ kind: "list", ordered, items: [text] });
}

/** A line that is moved in goes on with the item above. */
function joinItem(last: Block | undefined, line: string): boolean {
  if (last?.kind !== "list" || !/^\s+\S/.test(line)) return false;
  last.items[last.items.length - 1] += `\n${line.trim()}`;
  return true;
}

function joinLine(blocks: Block[], kind: "paragraph" | "quote", line: string): void {
  const last = blocks.at(-1);
  if (last?.kind === kind && last.text !== "") last.text += `\n${line}`;
  else blocks.push({ kind, text: line });
}

const INLINE = /(`+)(.+?)\1|\*\*(.+?)\*\*|__(.+?)__|(?<![\w*])\*(?!\s)(.+?)\*(?!\w)|(?<!\w)_(?!\s)(.+?)_(?!\w)|!?\[([^\]]*)\]\(([^()\s]+)\)/g;

function inline(text: string, way: LinkWay): ReactNode[] {
  const parts: ReactNode[] = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    parts.push(<Fragment key={match.index}>{marked(match, way)}</Fragment>);
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

function marked(match: RegExpMatchArray, way: LinkWay): ReactNode {
  const [, , code, strong, strongToo, soft, softToo, label, address] = match;
  if (code !== undefined) return <code>{code}</code>;
  const loud = strong ?? strongToo;
  if (loud !== undefined) return <strong>{inline(loud, way)}</strong>;
  const leaning = soft ?? softToo;
  if (leaning !== undefined) return <em>{inline(leaning, way)}</em>;
  return way?.(label ?? "", address ?? "") ?? <>{label} <span className={s.address}>({address})</span></>;
}

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { asApiError } from "@/api/problem";
import { Button, Card, count, Notice, Row, Select, Text } from "@/design";
import { documentsQuery, textQuery } from "../queries";
import { TextView } from "../reading/TextView";
import type { KnowledgeDocument, Preview } from "../shapes";
import type { Viewed } from "../view";
import { type Places, valueOf } from "./form";
import { usePreview } from "./queries";
import s from "./settings.module.css";

/** Cuts a document by what is typed above, saved or not, and draws the borders over its text. */
export function PreviewCard({ places, isChanged, view, onView }: Viewed & { places: Places; isChanged: boolean }) {
  const documents = useInfiniteQuery(documentsQuery({}));
  const preview = usePreview();
  const choices = documents.data?.pages.flatMap((page) => page.items).filter(({ readable, status }) => readable && status === "indexed") ?? [];
  const chosen = choices.find(({ id }) => id === view.try) ?? choices[0];
  const error = preview.error === null ? null : asApiError(preview.error);
  return (
    <Card pad={false} label="Preview">
      <header className={s.head}>
        <h2>Preview</h2>
        <Text as="p" tone="faint" size="s">Cuts a document by the settings above{isChanged ? ", as they are typed" : ""}; nothing is stored</Text>
      </header>
      <div className={s.padded}>
        {chosen === undefined ? (
          <Text tone="soft">{documents.isPending ? "Looking for documents" : "There is no indexed document yet to try the settings on."}</Text>
        ) : (
          <Row gap={2} wrap>
            <Select aria-label="Document" className={s.documents} value={chosen.id} onChange={(event) => { preview.reset(); onView({ try: event.target.value }); }}>
              {choices.map(({ id, title, name, document_type }) => <option key={id} value={id}>{title ?? name} ({document_type})</option>)}
            </Select>
            {documents.hasNextPage && <Button onClick={() => void documents.fetchNextPage()} busy={documents.isFetchingNextPage}>More documents</Button>}
            <Button tone="primary" busy={preview.isPending} onClick={() => { preview.mutate({ document: chosen.id, value: valueOf(places) }); }}>Cut it</Button>
          </Row>
        )}
        {error !== null && (
          <Notice tone="critical" title="It cannot be cut so">
            {error.fields.length === 0 ? error.message : <ul>{error.fields.map(({ field, message }) => <li key={field}>{field}: {message}</li>)}</ul>}
          </Notice>
        )}
      </div>
      {preview.data !== undefined && chosen !== undefined && preview.data.document === chosen.id && <Cut preview={preview.data} document={chosen} />}
    </Card>
  );
}

function Cut({ preview, document }: { preview: Preview; document: KnowledgeDocument }) {
  const text = useQuery(textQuery(document.id, document.revision));
  const { total, tokens, chunks, document_type } = preview;
  return (
    <>
      <p className={s.cut} role="status">
        <strong>{count(total, "chunk")}</strong>, {tokens.toLocaleString("en")} tokens, {Math.round(tokens / Math.max(1, total)).toLocaleString("en")} each on average, cut as {document_type}
        {chunks.length < total && `; the first ${chunks.length} are shown`}
      </p>
      {text.data !== undefined && <TextView text={text.data} chunks={chunks} label="The document as it would be cut" className={s.pane} />}
      {text.error !== null && <div className={s.padded}><Notice tone="critical" title="The text could not be loaded">{text.error.message}</Notice></div>}
    </>
  );
}

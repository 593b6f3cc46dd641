import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useAllowance } from "@/api/session";
import { ago, Arriving, Badge, Button, JsonView, Row, RowMain, Rows, Text, toast } from "@/design";
import { PayloadView } from "../run/StepPanel";
import type { Letter } from "../shapes";
import { DiscardDialog } from "./DiscardDialog";
import { letterQuery, useLetterChanges } from "./queries";
import s from "./letters.module.css";

interface Props {
  letters: readonly Letter[];
  chosen: string | undefined;
  onChoose: (letter: string | undefined) => void;
}

export function LetterList({ letters, chosen, onChoose }: Props) {
  return (
    <Rows label="Dead letters">
      {letters.map((letter) => (
        <li key={letter.id} data-letter={letter.id}>
          <RowMain>
            <Row gap={2} wrap>
              <strong>{letter.step}{letter.item !== null && `, item ${letter.item + 1}`}</strong>
              <Text tone="faint" size="s">{ago(letter.failed_at)}</Text>
              {letter.subject !== null && <Text tone="soft" size="s">about {letter.subject}</Text>}
            </Row>
            {letter.state !== "open" && <Text as="p" tone="soft" size="s">{decisionOf(letter)}</Text>}
            <Link to="/runs/$runId" params={{ runId: letter.run }} search={{ step: letter.step, ...(letter.item === null ? {} : { item: letter.item }) }}>Its run</Link>
            {letter.replayed_as !== null && <Link to="/runs/$runId" params={{ runId: letter.replayed_as }}>The run that replays it</Link>}
          </RowMain>
          <Actions letter={letter} open={chosen === letter.id} onOpen={() => { onChoose(chosen === letter.id ? undefined : letter.id); }} />
          {chosen === letter.id && <div className={s.inside}><Content id={letter.id} /></div>}
        </li>
      ))}
    </Rows>
  );
}

function decisionOf({ state, decided_by, decided_at, reason }: Letter): string {
  const when = decided_at === null ? "" : ` ${ago(decided_at)}`;
  return `${state === "replayed" ? "Replayed" : "Discarded"} by ${decided_by ?? "somebody"}${when}${reason === null ? "" : `: ${reason}`}`;
}

function Actions({ letter, open, onOpen }: { letter: Letter; open: boolean; onOpen: () => void }) {
  const may = useAllowance("run.operate");
  const { replay, restore } = useLetterChanges();
  const [discarding, setDiscarding] = useState(false);
  const onError = (error: Error) => { toast(error.message, { tone: "critical" }); };
  return (
    <Row gap={2} wrap>
      <Button size="s" aria-expanded={open} onClick={onOpen}>{open ? "Hide" : "Input and trace"}</Button>
      {letter.state === "open" && <Button size="s" icon="refresh" busy={replay.isPending} denied={may.reason} onClick={() => { replay.mutate(letter.id, { onSuccess: () => { toast("It goes on from the failed step, in a new run"); }, onError }); }}>Replay this one</Button>}
      {letter.state === "open" && <Button size="s" icon="trash" denied={may.reason} onClick={() => { setDiscarding(true); }}>Discard this one</Button>}
      {letter.state === "discarded" && <Button size="s" icon="undo" busy={restore.isPending} denied={may.reason} onClick={() => { restore.mutate(letter.id, { onSuccess: () => { toast("It is open again"); }, onError }); }}>Undo the discard</Button>}
      {discarding && <DiscardDialog title="Discard this dead letter?" letter={letter.id} onClose={() => { setDiscarding(false); }} />}
    </Row>
  );
}

function Content({ id }: { id: string }) {
  const letter = useQuery(letterQuery(id));
  return (
    <Arriving query={letter} what="The dead letter" lines={3}>
      {(data) => (
        <div className={s.content}>
          <Row gap={2} wrap><Badge tone="critical" icon="warning">{data.error.code}</Badge><Text tone="soft" size="s">{data.error.detail}</Text></Row>
          {data.input === null && data.trace === null && <Text tone="faint" size="s">Its input is closed to you, or nothing was kept.</Text>}
          <PayloadView name="Input" payload={data.input} />
          {data.trace !== null && <JsonView label="Trace" value={`${data.trace}\n`} />}
        </div>
      )}
    </Arriving>
  );
}

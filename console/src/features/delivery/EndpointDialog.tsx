import { useState } from "react";
import { Button, Dialog, DialogActions, Field, Input, Notice, Select, Textarea, toast } from "@/design";
import { useEndpointChanges } from "./queries";
import type { Endpoint, Format } from "./shapes";
import { FORMATS, isDirect } from "./words";

interface Props {
  endpoint: Endpoint | null;
  onClose: () => void;
  /** Told the secret of a new endpoint, this once. */
  onSecret?: (secret: string) => void;
}

const NEW = { url: "", topics: ["run.finished"], format: "standard-webhooks" as const, description: "" };

/** A new endpoint, or another shape for one that is there. */
export function EndpointDialog({ endpoint, onClose, onSecret }: Props) {
  const before = endpoint ?? NEW;
  const [url, setUrl] = useState(before.url);
  const [topics, setTopics] = useState(before.topics.join("\n"));
  const [format, setFormat] = useState<Format>(before.format);
  const [description, setDescription] = useState(before.description);
  const { create, change } = useEndpointChanges();
  const error = create.error ?? change.error;
  const body = { url: url.trim(), topics: topics.split(/[\s,]+/).filter(Boolean), format, description: description.trim() };
  const direct = endpoint !== null && isDirect(endpoint);
  const missing = direct ? undefined : body.url === "" ? "Give its address" : body.topics.length === 0 ? "Name at least one event" : undefined;
  function send() {
    // What callers name is theirs to say.
    const changed = direct ? { format: body.format, description: body.description } : body;
    if (endpoint !== null) change.mutate({ endpoint: endpoint.id, ...changed }, { onSuccess: () => { toast("Changed"); onClose(); } });
    else {
      create.mutate(body, {
        onSuccess: ({ secret }) => {
          onClose();
          if (secret !== null) onSecret?.(secret);
        },
      });
    }
  }
  return (
    <Dialog title={endpoint === null ? "Add an endpoint" : "Change the endpoint"} onClose={onClose}>
      {!direct && <Field label="Address" hint="Events are posted to it; addresses inside the platform's network are refused"><Input type="url" value={url} placeholder="https://example.com/hooks" spellCheck={false} onChange={(event) => { setUrl(event.target.value); }} /></Field>}
      {!direct && <Field label="Events" hint="One a line: run.finished, a group such as approval.*, or * for all"><Textarea rows={3} spellCheck={false} value={topics} onChange={(event) => { setTopics(event.target.value); }} /></Field>}
      <Field label="Format">
        <Select value={format} onChange={(event) => { setFormat(event.target.value as Format); }}>{FORMATS.map(({ value, label }) => <option key={value} value={value}>{label}</option>)}</Select>
      </Field>
      <Field label="What it is for"><Input value={description} maxLength={500} onChange={(event) => { setDescription(event.target.value); }} /></Field>
      {error && <Notice tone="critical" title="Not saved">{error.message}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="primary" busy={create.isPending || change.isPending} denied={missing} onClick={send}>{endpoint === null ? "Add the endpoint" : "Save"}</Button>
      </DialogActions>
    </Dialog>
  );
}

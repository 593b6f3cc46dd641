import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button, Dialog, DialogActions, Field, Input, Notice, Segments, Select, toast } from "@/design";
import { pipelinesQuery } from "../runs/queries";
import { heldOf } from "./HoldsCard";
import { useHoldChanges } from "./queries";

export function HoldDialog({ onClose }: { onClose: () => void }) {
  const pipelines = useQuery(pipelinesQuery);
  const [kind, setKind] = useState<"pause" | "drain">("pause");
  const [pipeline, setPipeline] = useState("");
  const [step, setStep] = useState("");
  const [reason, setReason] = useState("");
  const { hold } = useHoldChanges();
  const known = pipelines.data ?? [];
  const steps = [...new Set(known.filter(({ name }) => name === pipeline).flatMap((each) => each.steps.map(({ name }) => name)))];
  const what = { pipeline: pipeline === "" ? null : pipeline, step: step === "" ? null : step };
  const send = () => {
    hold.mutate({ kind, ...what, reason: reason.trim() }, { onSuccess: () => { toast(`${heldOf(what)} is ${kind === "pause" ? "paused" : "draining"}`); onClose(); } });
  };
  return (
    <Dialog title="Pause or drain" onClose={onClose}>
      <Segments label="How" value={kind} onChange={setKind} options={[{ value: "pause", label: "Pause" }, { value: "drain", label: "Drain" }]} />
      <p>{kind === "pause" ? "Nothing more is started; what runs now is finished, and what comes in waits." : "Nothing new is taken in: submissions are refused with a clear answer. What is there runs out."}</p>
      <Field label="Pipeline">
        <Select value={pipeline} onChange={(event) => { setPipeline(event.target.value); setStep(""); }}>
          <option value="">Everything of this tenant</option>
          {[...new Set(known.map(({ name }) => name))].map((name) => <option key={name} value={name}>{name}</option>)}
        </Select>
      </Field>
      {pipeline !== "" && (
        <Field label="Step">
          <Select value={step} onChange={(event) => { setStep(event.target.value); }}>
            <option value="">The whole pipeline</option>
            {steps.map((name) => <option key={name} value={name}>{name}</option>)}
          </Select>
        </Field>
      )}
      <Field label="Reason" hint="Others see it beside the hold"><Input value={reason} maxLength={500} onChange={(event) => { setReason(event.target.value); }} /></Field>
      {hold.error && <Notice tone="critical" title="Not held">{hold.error.message}</Notice>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="primary" busy={hold.isPending} denied={reason.trim() === "" ? "Say why" : undefined} onClick={send}>{kind === "pause" ? "Pause" : "Drain"}</Button>
      </DialogActions>
    </Dialog>
  );
}

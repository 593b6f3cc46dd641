import { type ReactNode, type SyntheticEvent, useState } from "react";
import type { Policy, StoredPolicy } from "@/api/schema";
import { useAllowance } from "@/api/session";
import { Badge, Button, Card, Input, Notice, Row, Segments, Switch, Text, toast } from "@/design";
import { type Rules, rulesOf, withRules } from "./rules";
import { usePolicyChange } from "./useChange";
import s from "../gateway.module.css";
import l from "./limits.module.css";

/** The decisions that most tenants make; only what was touched here is changed in the policy. */
export function RulesCard({ stored }: { stored: StoredPolicy }) {
  const may = useAllowance("gateway.manage");
  const change = usePolicyChange(stored);
  const [touched, setTouched] = useState<Partial<Rules>>({});
  const rules = { ...rulesOf(stored.policy), ...touched };
  const set = (part: Partial<Rules>) => { if (may.allowed) setTouched({ ...touched, ...part }); };
  const isChanged = JSON.stringify(rules) !== JSON.stringify(rulesOf(stored.policy));
  function submit(event: SyntheticEvent) {
    event.preventDefault();
    if (!isChanged || !may.allowed || change.busy) return;
    change.send((policy: Policy) => withRules(policy, touched), () => { setTouched({}); toast("The rules hold from the next second on"); });
  }
  return (
    <Card pad={false} label="Rules for every call">
      <header className={s.cardHead}>
        <div>
          <h2>Rules for every call</h2>
          <Text as="p" tone="faint" size="s">What providers may be used, and what is kept</Text>
        </div>
      </header>
      <form onSubmit={submit}>
        <ul className={l.rules}>
          <Rule name="Residency" input="residency" hint="Calls are processed, stored and kept within this region only, or refused">
            <Input id="residency" className={l.short} value={rules.residency} placeholder="anywhere, or eu" maxLength={200} spellCheck={false} autoCapitalize="none" readOnly={!may.allowed} onChange={(event) => { set({ residency: event.target.value }); }} />
          </Rule>
          <Rule name="Require pinned versions" hint="Names whose version may change are refused, with the fixed names to choose from">
            <Switch label="Require pinned versions" checked={rules.require_pinned} denied={may.reason} onChange={(on) => { set({ require_pinned: on }); }} />
          </Rule>
          <Rule name="Records" hint="Spooled: on this machine’s disk before the answer ends. Committed: in the database, and refused while it is away">
            <Choice label="Records" value={rules.durability} fixed={!may.allowed} onChange={(durability) => { set({ durability }); }} options={[{ value: "spooled", label: "Spooled" }, { value: "committed", label: "Committed" }]} />
          </Rule>
          <Rule name="What was said" hint="Inputs and outputs of calls, encrypted with the record; without them only figures are recorded">
            <Choice label="What was said" value={rules.payloads} fixed={!may.allowed} onChange={(payloads) => { set({ payloads }); }} options={[{ value: "keep", label: "Keep" }, { value: "drop", label: "Drop" }]} />
          </Rule>
          <Rule name="Reply cache" hint="Gives a kept reply to an identical call: to calls with temperature 0 or a seed, or to all">
            <Choice label="Reply cache" value={rules.exact} fixed={!may.allowed} onChange={(exact) => { set({ exact }); }} options={[{ value: "off", label: "Off" }, { value: "deterministic", label: "Deterministic" }, { value: "all", label: "All" }]} />
          </Rule>
          <Rule name="When limits cannot be counted" hint="While the counters are away, calls pass uncounted or are refused">
            <Choice label="When limits cannot be counted" value={rules.when_limits_away} fixed={!may.allowed} onChange={(when_limits_away) => { set({ when_limits_away }); }} options={[{ value: "open", label: "Pass" }, { value: "closed", label: "Refuse" }]} />
          </Rule>
        </ul>
        {change.trouble && <div className={s.padded}><Notice tone="critical" title={change.trouble.title}>{change.trouble.text}</Notice></div>}
        <footer className={s.foot}>
          <Text tone="faint" size="s">{isChanged ? "Not saved yet" : "As it is stored"}</Text>
          <Row gap={2}>
            {isChanged && <Button onClick={() => { setTouched({}); change.reset(); }}>Discard</Button>}
            <Button type="submit" tone="primary" busy={change.busy} denied={may.reason ?? (isChanged ? undefined : "Nothing was changed")}>Save the rules</Button>
          </Row>
        </footer>
      </form>
    </Card>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  fixed: boolean;
  onChange: (value: T) => void;
  options: { value: T; label: string }[];
}

/** All choices for who may choose, the chosen one for all others. */
function Choice<T extends string>({ fixed, ...rest }: ChoiceProps<T>) {
  return fixed ? <Badge outline>{rest.options.find(({ value }) => value === rest.value)?.label}</Badge> : <Segments {...rest} />;
}

function Rule({ name, hint, input, children }: { name: string; hint: string; input?: string; children: ReactNode }) {
  return (
    <li>
      <div>
        {input === undefined ? <strong>{name}</strong> : <label htmlFor={input}>{name}</label>}
        <Text as="p" tone="faint" size="s">{hint}</Text>
      </div>
      {children}
    </li>
  );
}

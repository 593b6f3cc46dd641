import { Fragment, useId, useState } from "react";
import type { GatewayModel, ModelPrice, SpendDay } from "@/api/schema";
import { Badge, Card, cx, Icon, Row, words } from "@/design";
import { compact, dayName, price } from "../figures";
import { ModelDetail } from "./ModelDetail";
import { callsOf } from "./models";
import s from "./models.module.css";

export function ModelTable({ models, days }: { models: GatewayModel[]; days: SpendDay[] | undefined }) {
  const [open, setOpen] = useState<string | null>(null);
  const detail = useId();
  return (
    <Card pad={false} className={s.tableCard}>
      <table className={s.table}>
        <caption className="visually-hidden">Models that may be called; prices in USD per million tokens</caption>
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">State</th>
            <th scope="col" className={s.number}>Context</th>
            <th scope="col" className={s.number}>Input / 1M</th>
            <th scope="col" className={s.number}>Output / 1M</th>
            <th scope="col" className={s.number}>Calls, 30 days</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => {
            const isOpen = open === model.name;
            return (
              <Fragment key={model.name}>
                <tr className={cx(!model.is_admitted && s.barred)} data-open={isOpen || undefined}>
                  <td>
                    <button type="button" className={s.name} aria-expanded={isOpen} aria-controls={isOpen ? detail : undefined} onClick={() => { setOpen(isOpen ? null : model.name); }}>
                      <Icon name={isOpen ? "down" : "right"} size={14} />
                      {model.name}
                    </button>
                    <span className={s.sub}>{subtitle(model)}</span>
                  </td>
                  <td><States model={model} /></td>
                  <td className={s.number} data-label="Context">{model.context_tokens === null ? "–" : compact(model.context_tokens)}</td>
                  <td className={s.number} data-label="Input"><PriceCell rate={model.price?.input_micros} of={model.price} /></td>
                  <td className={s.number} data-label="Output"><PriceCell rate={model.price?.output_micros} of={model.price} /></td>
                  <td className={s.number} data-label="Calls">{days === undefined ? "–" : compact(callsOf(model, days))}</td>
                </tr>
                {isOpen && <tr className={s.detailRow} id={detail}><td colSpan={6}><ModelDetail model={model} /></td></tr>}
              </Fragment>
            );
          })}
        </tbody>
      </table>
    </Card>
  );
}

function subtitle(model: GatewayModel): string {
  return [model.providers.join(", "), model.kind === "chat" ? model.quality : model.kind, model.aliases.length > 0 && `also ${model.aliases.join(", ")}`].filter(Boolean).join(" · ");
}

function States({ model }: { model: GatewayModel }) {
  return (
    <Row gap={1} wrap>
      {model.lifecycle === "active"
        ? <Badge tone="good">Active</Badge>
        : <Badge tone="medium" icon="warning">{words(model.lifecycle)}{model.retires_on !== null && `, ends ${dayName(model.retires_on)}`}</Badge>}
      {model.is_pinned && <Badge outline icon="lock">Pinned</Badge>}
      {!model.is_admitted && <Badge tone="critical" icon="absent">Outside residency</Badge>}
    </Row>
  );
}

function PriceCell({ rate, of }: { rate: number | undefined; of: ModelPrice | null }) {
  if (of === null || rate === undefined) return <span className={s.unknown}>unknown</span>;
  if (of.source === "local") return <span className={s.unknown}>free</span>;
  return (
    <>
      {of.varies && <span className={s.from}>from </span>}
      {price(rate)}
      {of.source === "tenant" && <span className={s.own}>own price</span>}
    </>
  );
}


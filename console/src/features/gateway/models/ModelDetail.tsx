import type { GatewayModel, ModelEndpoint, ModelPrice } from "@/api/schema";
import { Badge, Icon, Notice } from "@/design";
import { dayName, price, whole } from "../figures";
import { places } from "./models";
import s from "./models.module.css";

const SOURCES: Record<ModelPrice["source"], string> = {
  tenant: "own price, from the policy",
  operator: "the operator’s price",
  local: "free, on the platform’s own machines",
  list: "list price",
};

export function ModelDetail({ model }: { model: GatewayModel }) {
  return (
    <div className={s.detail}>
      {model.warnings.length > 0 && (
        <Notice tone="medium">{model.warnings.map((text) => <p key={text}>{text}</p>)}</Notice>
      )}
      <dl className={s.facts}>
        <Fact name="Longest input">{model.context_tokens === null ? "not known" : `${whole(model.context_tokens)} tokens`}</Fact>
        <Fact name="Longest output">{model.max_output_tokens === null ? "not known" : `${whole(model.max_output_tokens)} tokens`}</Fact>
        {model.deprecated_on !== null && <Fact name="Deprecated">{dayName(model.deprecated_on)}</Fact>}
        {model.retires_on !== null && <Fact name="Ends">{dayName(model.retires_on)}</Fact>}
        {model.replacement !== null && <Fact name="Successor"><code>{model.replacement}</code></Fact>}
        {model.price !== null && <Fact name="Price">{SOURCES[model.price.source]}{model.price.source === "list" && ` (${model.price.version})`}</Fact>}
        {model.price !== null && model.price.source !== "local" && <Fact name="Cached input">{price(model.price.cached_input_micros)} / 1M</Fact>}
      </dl>
      <ul className={s.endpoints} aria-label={`Endpoints of ${model.name}`}>
        {model.endpoints.map((endpoint) => <Endpoint key={endpoint.name} endpoint={endpoint} />)}
      </ul>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

function Endpoint({ endpoint }: { endpoint: ModelEndpoint }) {
  return (
    <li>
      <Icon name="building" size={15} />
      <div>
        <strong>{endpoint.name}</strong> <code>{endpoint.wire_model}</code>
        <p>Region {places(endpoint.regions)}{endpoint.price !== null && endpoint.price.source !== "local" && `, ${price(endpoint.price.input_micros)} in and ${price(endpoint.price.output_micros)} out per million tokens`}</p>
      </div>
      {endpoint.is_admitted ? <Badge tone="good" icon="check">May be called</Badge> : <Badge tone="critical" icon="absent">Outside residency</Badge>}
    </li>
  );
}

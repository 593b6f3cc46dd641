import { Badge, Row, words } from "@/design";
import type { Explanation } from "../shapes";
import s from "./search.module.css";

const LISTS: Record<string, string> = { vector: "Meaning", text: "Words", exact: "Exact terms", labels: "Labels" };

/** Why a passage was found, and why it stands where it stands. */
export function Explained({ explanation }: { explanation: Explanation }) {
  const { places, terms, exact, labels, cosine, bm25, fused_rank, rerank } = explanation;
  return (
    <div className={s.explained}>
      <table>
        <caption className="visually-hidden">Its place in each ranked list</caption>
        <thead><tr><th scope="col">List</th><th scope="col">Rank</th><th scope="col">Score</th><th scope="col">Weight</th><th scope="col">Adds</th></tr></thead>
        <tbody>
          {places.map((place) => (
            <tr key={place.name}>
              <th scope="row">{LISTS[place.name] ?? words(place.name)}</th>
              <td>{place.rank}</td><td>{place.score.toFixed(3)}</td><td>{place.weight.toFixed(2)}</td><td>{place.contribution.toFixed(4)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <dl>
        <Fact name="Place after fusion">{fused_rank}{rerank !== null && `, sorted by a model to ${rerank}`}</Fact>
        <Fact name="Nearness in meaning">{cosine === null ? "not among the nearest" : cosine.toFixed(3)}</Fact>
        <Fact name="BM25 of its words">{bm25.toFixed(2)}</Fact>
        {terms.length > 0 && <Fact name="Words"><Marks of={terms.map(({ term, score }) => `${term} ${score.toFixed(2)}`)} /></Fact>}
        {exact.length > 0 && <Fact name="Found exactly"><Marks of={exact} /></Fact>}
        {labels.length > 0 && <Fact name="Labels"><Marks of={labels.map(({ label, score }) => `${words(label)} ${score.toFixed(2)}`)} /></Fact>}
      </dl>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

function Marks({ of }: { of: readonly string[] }) {
  return <Row gap={1} wrap>{of.map((text, at) => <Badge key={at}>{text}</Badge>)}</Row>;
}

/** Knowledge's words of the HTTP API, one alias each over the generated types. */
import type { Sent } from "@/api/schema";
import type { components } from "@/api/schema.gen";

type Shapes = components["schemas"];

export type KnowledgeDocument = Sent<Shapes["DocumentShape"]>;
export type DocumentStatus = KnowledgeDocument["status"];
export type DocumentSubmitted = Sent<Shapes["DocumentSubmitted"]>;
export type KnowledgeStatus = Sent<Shapes["StatusShape"]>;
export type FailureCause = KnowledgeStatus["failures"][number];
/** Offsets count characters (code points) of the parsed text, end exclusive. */
export type DocumentText = Sent<Shapes["DocumentText"]>;
export type DocumentChunk = Sent<Shapes["DocumentChunk"]>;
export type Source = Sent<Shapes["SourceShape"]>;
export type SourceConfig = Shapes["CreateSource"]["config"];
export type NewSource = Shapes["CreateSource"];
export type SourceChange = Partial<Shapes["ChangeSource"]>;
export type CurrentSettings = Sent<Shapes["CurrentSettings"]>;
export type SettingsVersion = Sent<Shapes["SettingsShape"]>;
export type Setup = CurrentSettings["value"];
export type SetupValue = Shapes["SaveSettings"]["value"];
export type Preview = Sent<Shapes["PreviewShape"]>;
export type KnowledgeIndex = Sent<Shapes["IndexShape"]>;
export type Comparison = Sent<Shapes["ComparisonShape"]>;
export type Answer = Sent<Shapes["AnswerShape"]>;
export type Passage = Answer["passages"][number];
export type Explanation = NonNullable<Passage["explanation"]>;
export type Team = Sent<Shapes["TeamView"]>;

/** A place in a document's text. */
export interface Place {
  start: number;
  end: number;
}

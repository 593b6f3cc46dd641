/** Words of the HTTP API of operating, one alias each over the generated types. */
import type { Reply, Run, Sent } from "@/api/schema";
import type { components } from "@/api/schema.gen";

type Shapes = components["schemas"];

/** `at_steps` are those it stands at now or failed at. */
export type RunLine = Run & { at_steps: string[] };
export type StepLine = Reply<"/v1/runs/{run}/steps", "get">["items"][number];
export type StepDetail = Reply<"/v1/runs/{run}/steps/{step}", "get">;
export type Payload = Sent<Shapes["PayloadShape"]>;
export type PipelineVersion = Sent<Shapes["PipelineVersionShape"]>;
export type Letter = Sent<Shapes["LetterShape"]>;
export type LetterDetail = Sent<Shapes["LetterDetailShape"]>;
export type LetterGroup = Sent<Shapes["LetterGroupShape"]>;
export type Bulk = Sent<Shapes["BulkShape"]>;
export type LettersAsked = Partial<Shapes["LettersAsked"]>;
export type Hold = Sent<Shapes["HoldShape"]>;
export type Lane = Sent<Shapes["LaneShape"]>;
export type HoldAsked = Shapes["HoldAsked"];
export type Schedule = Sent<Shapes["ScheduleShape"]>;
export type ScheduleAsked = Shapes["ScheduleAsked"];
export type SchedulePreview = Sent<Shapes["SchedulePreview"]>;

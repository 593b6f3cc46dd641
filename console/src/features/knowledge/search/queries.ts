/** Searches. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { http, unwrap } from "@/api/client";
import { ALL } from "../queries";
import type { Answer } from "../shapes";
import type { SearchView } from "../view";

type Question = NonNullable<Parameters<typeof http.POST<"/v1/knowledge/search", { body: never }>>[1]>["body"];

export const answerQuery = ({ q = "", source, type, label }: SearchView) =>
  queryOptions({
    queryKey: [...ALL, "search", q, source ?? "", type ?? "", label ?? ""],
    enabled: q.trim() !== "",
    staleTime: 10_000,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<Answer> => {
      const filters = { sources: one(source), document_types: one(type), labels: one(label) };
      // The generated type wants fields that have defaults; absent ones are as the settings say.
      const body = { text: q, explain: true, filters } as unknown as Question;
      return unwrap(http.POST("/v1/knowledge/search", { body, signal }));
    },
  });

function one(value: string | undefined): string[] {
  return value === undefined ? [] : [value];
}

/** Where in a JSON text a place of the policy is, so that an objection stands at its line. */

export type Step = string | number;

/** "policy.limits[0].scope", "policy.prices['openai/gpt-5']" as steps. */
export function stepsOf(field: string): Step[] {
  const found = field.replace(/^policy/, "").matchAll(/\.([^.[\]]+)|\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)")\]/g);
  return [...found].map(([, name, index, single, double]) => (index === undefined ? (name ?? single ?? double ?? "") : Number(index)));
}

/** The line (from 1) of a place, or of the nearest thing around it; null where even the text's first value is missing. */
export function lineOf(text: string, field: string): number | null {
  const lines = linesOf(text);
  for (let steps = stepsOf(field); ; steps = steps.slice(0, -1)) {
    const line = lines.get(JSON.stringify(steps));
    if (line !== undefined) return line;
    if (steps.length === 0) return null;
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+|\n/g;

/** Path -> line of every value in a valid JSON text; a member's line is that of its name. */
export function linesOf(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  const around: { isList: boolean; index: number }[] = [];
  const path: Step[] = [];
  let line = 1;
  let isName = false;
  const enter = () => { if (!lines.has(JSON.stringify(path))) lines.set(JSON.stringify(path), line); };
  for (const [token] of text.matchAll(TOKEN)) {
    const inside = around.at(-1);
    if (token === "\n") line += 1;
    else if (token === "{" || token === "[") {
      enter();
      around.push({ isList: token === "[", index: 0 });
      path.push(0);
      isName = token === "{";
    } else if (token === "}" || token === "]") {
      around.pop();
      path.pop();
      isName = false;
    } else if (token === "," && inside !== undefined) {
      inside.index += 1;
      if (inside.isList) path[path.length - 1] = inside.index;
      isName = !inside.isList;
    } else if (token === ":") isName = false;
    else if (isName) {
      path[path.length - 1] = JSON.parse(token) as string;
      enter();
    } else enter();
  }
  return lines;
}

/** What the browser says of a text that is no JSON, with the line where it says one. */
export function syntaxTrouble(text: string): { line: number | null; message: string } | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const named = /line (\d+)/.exec(said)?.[1];
    const position = /position (\d+)/.exec(said)?.[1];
    const line = named !== undefined ? Number(named) : position !== undefined ? text.slice(0, Number(position)).split("\n").length : null;
    return { line, message: said };
  }
}

import { CodeEditor } from "@/design";
import { colour, type Objection } from "../yaml";

interface Props {
  label: string;
  value: string;
  readOnly: boolean;
  objections: readonly Objection[];
  onChange: (value: string) => void;
}

/** The editor of code, for YAML. */
export function YamlEditor(props: Props) {
  return <CodeEditor {...props} colour={colour} describedBy="yaml-objections" rows={16} tall />;
}

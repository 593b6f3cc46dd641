/** Sources, kinds and failures as people say them. */
import { words } from "@/design";
import type { KnowledgeDocument } from "./shapes";

/** Sources that no one has to set up. */
export const BUILT_IN = ["uploads", "contracts"];

export function fileKind({ name, media_type }: KnowledgeDocument): string {
  if (media_type === "application/pdf") return "pdf";
  return /\.([a-z0-9]{1,5})$/i.exec(name)?.[1]?.toLowerCase() ?? "txt";
}

const CAUSES: Record<string, string> = {
  encrypted_pdf: "Asks for a password",
  encrypted_document: "Asks for a password",
  broken_pdf: "Damaged",
  broken_document: "Damaged",
  scanned_pdf: "Pictures of text only",
  no_text: "No text in it",
  empty_file: "Empty",
  too_large: "Too large",
  too_many_pages: "Too many pages",
  parse_timed_out: "Took too long to read",
  parse_out_of_memory: "Needed too much memory",
  unsupported_type: "A type that is not read",
};

export function causeOf(code: string): string {
  return CAUSES[code] ?? words(code);
}

/** Problems of the file itself: trying again finds the same, another file has to come. */
const OF_THE_FILE = new Set(["encrypted_pdf", "encrypted_document", "broken_pdf", "broken_document", "scanned_pdf", "no_text", "empty_file", "binary_content", "unsupported_type", "zip_bomb", "unsafe_xml", "unreadable_document"]);

export function advice(code: string): string {
  return OF_THE_FILE.has(code)
    ? "Trying again helps once the file or the settings have changed; otherwise upload a mended file."
    : "What was done so far is kept: trying again goes on from there.";
}

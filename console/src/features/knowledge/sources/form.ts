/** A source as a form: what is typed, what the API takes, and which field a refusal is about. */
import type { ApiError } from "@/api/problem";
import type { Source, SourceConfig } from "../shapes";

export type Kind = SourceConfig["kind"];

export interface Form {
  name: string;
  kind: Kind;
  urls: string;
  sitemap: string;
  followsLinks: boolean;
  maxPages: string;
  prefix: string;
  connector: string;
  options: string;
  documentType: string;
  every: string;
  readers: string[] | null;
  secret: string;
  forgetsSecret: boolean;
}

export const KINDS: { value: Kind; label: string; hint: string }[] = [
  { value: "push", label: "Push", hint: "Other systems bring the documents with an API key" },
  { value: "url", label: "Web pages", hint: "Pages are fetched, and again when they have changed" },
  { value: "prefix", label: "Object store", hint: "Files below a place in an object store" },
  { value: "connector", label: "Connector", hint: "What an installed connector reads" },
];

export const EVERY: { seconds: string; label: string }[] = [
  { seconds: "", label: "On demand only" },
  { seconds: "3600", label: "Every hour" },
  { seconds: "86400", label: "Every day" },
  { seconds: "604800", label: "Every week" },
];

const EMPTY: Form = { name: "", kind: "url", urls: "", sitemap: "", followsLinks: false, maxPages: "200", prefix: "", connector: "", options: "{}", documentType: "", every: "86400", readers: null, secret: "", forgetsSecret: false };

export function formOf(source: Source | null): Form {
  if (source === null) return EMPTY;
  const config = source.config;
  const common = { ...EMPTY, name: source.name, kind: config.kind, documentType: source.document_type ?? "", every: source.every_seconds === null ? "" : String(source.every_seconds), readers: source.readers };
  switch (config.kind) {
    case "push":
      return common;
    case "url":
      return { ...common, urls: config.urls.join("\n"), sitemap: config.sitemap ?? "", followsLinks: config.follows_links, maxPages: String(config.max_pages) };
    case "prefix":
      return { ...common, prefix: config.url ?? "" };
    case "connector":
      return { ...common, connector: config.connector, options: JSON.stringify(config.options, null, 2) };
  }
}

const blank = (text: string) => (text.trim() === "" ? null : text.trim());

/** What the API takes; null when the connector's options are no JSON object. */
export function configOf(form: Form): SourceConfig | null {
  switch (form.kind) {
    case "push":
      return { kind: "push" };
    case "url":
      return { kind: "url", urls: form.urls.split(/\s+/).filter(Boolean), sitemap: blank(form.sitemap), follows_links: form.followsLinks, max_pages: Number(form.maxPages) };
    case "prefix":
      return { kind: "prefix", url: blank(form.prefix) };
    case "connector": {
      const options = readObject(form.options);
      return options === null ? null : { kind: "connector", connector: form.connector.trim(), options };
    }
  }
}

type Options = Extract<SourceConfig, { kind: "connector" }>["options"];

function readObject(text: string): Options | null {
  try {
    const value: unknown = JSON.parse(text.trim() === "" ? "{}" : text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Options) : null;
  } catch {
    return null;
  }
}

/** All but the name and the secret. */
export function commonOf(form: Form) {
  return {
    document_type: blank(form.documentType),
    every_seconds: form.kind === "push" || form.every === "" ? null : Number(form.every),
    readers: form.readers,
  };
}

const FIELDS: [RegExp, keyof Form][] = [
  [/urls/, "urls"], [/sitemap/, "sitemap"], [/max_pages/, "maxPages"], [/config(\.prefix)?\.url$/, "prefix"], [/connector$/, "connector"],
  [/options/, "options"], [/every_seconds/, "every"], [/document_type/, "documentType"], [/secret/, "secret"], [/name$/, "name"],
];

/** The server's objections by the field they are about. */
export function objections(error: ApiError): Partial<Record<keyof Form, string>> {
  const found: Partial<Record<keyof Form, string>> = {};
  for (const { field, message } of error.fields) {
    const match = FIELDS.find(([pattern]) => pattern.test(field));
    if (match !== undefined) found[match[1]] ??= message;
  }
  return found;
}

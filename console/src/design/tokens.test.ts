/** The promise of the tokens: readable in both themes, and the only place with raw colours. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const SOURCE = join(import.meta.dirname, "..");
const css = readFileSync(join(SOURCE, "design/tokens.css"), "utf8");

function theme(selector: string): Record<string, string> {
  const body = new RegExp(`${selector.replaceAll(/[[\]]/g, "\\$&")} \\{([^}]*)\\}`).exec(css)?.[1] ?? "";
  return Object.fromEntries([...body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [String(name), String(value)]));
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one = "", other = ""): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const TONES = ["critical", "high", "medium", "low", "info", "good", "unverified", "accent"];

for (const [name, colours] of [["light", theme(":root")], ["dark", theme('[data-theme="dark"]')]] as const) {
  test(`text is AA on every ground of the ${name} theme`, () => {
    const pairs = [
      ...["ink", "ink-soft", "ink-faint"].flatMap((ink) => ["canvas", "surface", "paper", "raised"].map((ground) => [ink, ground])),
      ...["ink", "ink-soft"].map((ink) => [ink, "sunken"]),
      ...TONES.flatMap((tone) => [`${tone}-soft`, "surface", "canvas", "raised"].map((ground) => [`${tone}-ink`, ground])),
      ...TONES.map((tone) => ["ink", `${tone}-soft`]),
      ["on-accent", "accent"],
      ["on-accent", "accent-strong"],
      ["canvas", "ink"],
    ];
    expect(pairs.flat().filter((token) => colours[token] === undefined)).toEqual([]);
    const poor = pairs.filter(([ink = "", ground = ""]) => contrast(colours[ink], colours[ground]) < 4.5);
    expect(poor).toEqual([]);
  });

  test(`signs and focus stand out by 3:1 in the ${name} theme`, () => {
    const poor = [...TONES, "focus"].filter((tone) => contrast(colours[tone], colours.surface) < 3 || contrast(colours[tone], colours.paper) < 3);
    expect(poor).toEqual([]);
  });
}

test("no colour is written outside the tokens", () => {
  const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((file) => /\.(css|tsx?)$/.test(file) && !/tokens|\.test\./.test(file));
  const raw = files.flatMap((file) => (/(?<![&\w])#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(|oklch\(/i.exec(readFileSync(join(SOURCE, file), "utf8")) === null ? [] : [file]));
  expect(raw).toEqual([]);
});

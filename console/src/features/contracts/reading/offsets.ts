/**
 * The API counts characters (code points), JavaScript counts UTF-16 units. They differ after the first
 * character beyond the basic plane, and a highlight would then sit beside its words.
 */
export function unitOffsets(text: string): (character: number) => number {
  if (!/[\ud800-\udbff]/.test(text)) return (character) => Math.min(Math.max(0, character), text.length);
  const units: number[] = [];
  let unit = 0;
  for (const character of text) {
    units.push(unit);
    unit += character.length;
  }
  units.push(unit);
  return (character) => units[Math.min(Math.max(0, character), units.length - 1)] ?? unit;
}

/** Brings a mark into the middle of its pane and lets it pulse once. */
export function reveal(pane: HTMLElement, markId: string, glide: boolean): void {
  const mark = find(pane, markId)[0];
  if (mark === undefined) return;
  const box = mark.getBoundingClientRect();
  const frame = pane.getBoundingClientRect();
  const distance = box.top - frame.top - pane.clientHeight * 0.34;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  // A glide over many screens only makes people wait.
  const behavior = calm || !glide || Math.abs(distance) > pane.clientHeight * 2.5 ? "instant" : "smooth";
  pane.scrollTo({ top: pane.scrollTop + distance, behavior });
  pulse(pane, markId);
}

export function pulse(pane: HTMLElement, markId: string): void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const mark of find(pane, markId)) {
    const tone = getComputedStyle(mark).getPropertyValue("--tone");
    mark.animate([{ boxShadow: `0 0 0 0 ${tone}` }, { boxShadow: `0 0 0 5px color-mix(in srgb, ${tone} 40%, transparent)`, offset: 0.35 }, { boxShadow: `0 0 0 9px transparent` }], { duration: 850, easing: "ease-out", delay: 120 });
  }
}

function find(pane: HTMLElement, markId: string): HTMLElement[] {
  return [...pane.querySelectorAll<HTMLElement>(`[data-marks~="${CSS.escape(markId)}"]`)];
}

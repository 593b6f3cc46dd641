import { useSyncExternalStore } from "react";

const QUERY = "(max-width: 900px)";

/** Whether there is room for one pane only; the same limit as in the style sheets. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const query = matchMedia(QUERY);
      query.addEventListener("change", listener);
      return () => { query.removeEventListener("change", listener); };
    },
    () => matchMedia(QUERY).matches,
  );
}

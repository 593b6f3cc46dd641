/** What is hovered or asked to be seen; the selected finding itself lives in the URL. */
import { useCallback, useMemo, useState } from "react";
import type { Citation } from "@/api/schema";
import type { Target } from "../reading/ReadingPane";
import type { Mark } from "../reading/segments";

const CITED = "cited";

/** `select` and `openText` must be stable: the memoised cards depend on them. */
export function useSelection(selected: string | null, select: (id: string) => void, openText: () => void) {
  const [hovered, setHovered] = useState<string | null>(null);
  const [target, setTarget] = useState<Target | null>(selected === null ? null : { markId: selected });
  const [cited, setCited] = useState<Citation | null>(null);

  const fromList = useCallback((id: string) => {
    setCited(null);
    setTarget({ markId: id });
    select(id);
  }, [select]);
  const show = useCallback((id: string) => {
    setTarget({ markId: id });
    openText();
  }, [openText]);
  const showCitation = useCallback((citation: Citation) => {
    setCited(citation);
    setTarget({ markId: CITED });
    openText();
  }, [openText]);
  const citedMarks = useMemo<Mark[]>(() => (cited === null ? [] : [{ id: CITED, start: cited.start, end: cited.end, tone: "cited" }]), [cited]);
  const forgetCited = useCallback(() => { setCited(null); }, []);
  return { hovered, setHovered, target, citedMarks, active: cited === null ? selected : CITED, fromList, show, showCitation, forgetCited };
}

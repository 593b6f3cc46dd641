import { memo, useEffect, useRef } from "react";
import type { Finding } from "@/api/schema";
import { Badge, Confidence, cx, Icon, MethodBadge, SeverityBadge, type Tone } from "@/design";
import type { IconName } from "@/design";
import { FindingDetail } from "./FindingDetail";
import s from "./findings.module.css";

export const DECISIONS: Record<Finding["decision"], { label: string; tone: Tone; icon: IconName }> = {
  open: { label: "Open", tone: "info", icon: "clock" },
  accepted: { label: "Accepted", tone: "good", icon: "check" },
  dismissed: { label: "Dismissed", tone: "info", icon: "cross" },
  edited: { label: "Edited", tone: "accent", icon: "pencil" },
};

interface Props {
  /** With edits applied; `original` is as it was found. */
  finding: Finding;
  original: Finding;
  place: string;
  isSelected: boolean;
  isHovered: boolean;
  onSelect: (id: string) => void;
  onHover: (id: string | null) => void;
}

export const FindingCard = memo(function FindingCard({ finding, original, place, isSelected, isHovered, onSelect, onHover }: Props) {
  const item = useRef<HTMLLIElement>(null);
  // Synchronizes the list's scroll position with a selection made in the text or by key, also when an edit moves the card.
  useEffect(() => {
    if (isSelected) item.current?.scrollIntoView({ block: "nearest" });
  }, [isSelected, finding.severity]);
  return (
    // Hovering only previews the place in the text; selecting, by button or key, does the same.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <li
      ref={item}
      id={`finding-${finding.id}`}
      className={cx(s.card, isSelected && s.selected, isHovered && s.hovered)}
      data-severity={finding.severity}
      data-decision={finding.decision}
      onMouseEnter={() => { onHover(finding.id); }}
      onMouseLeave={() => { onHover(null); }}
    >
      <h3 className={s.heading}>
        <button type="button" className={s.summary} aria-expanded={isSelected} onClick={() => { onSelect(finding.id); }}>
          <SeverityBadge severity={finding.severity} short />
          <span className={s.title}>{finding.title}</span>
          {finding.decision !== "open" && <Badge tone={DECISIONS[finding.decision].tone} icon={DECISIONS[finding.decision].icon}>{DECISIONS[finding.decision].label}</Badge>}
        </button>
      </h3>
      <div className={s.meta}>
        {finding.citations.length === 0 ? <span className={s.absent}><Icon name="absent" size={13} /> Not in the contract</span> : place !== "" && <span>{place}</span>}
        <MethodBadge method={finding.method} />
        <Confidence value={finding.confidence} />
      </div>
      {isSelected && <FindingDetail finding={finding} original={original} />}
    </li>
  );
});

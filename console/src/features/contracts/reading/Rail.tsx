import { memo } from "react";
import type { Mark } from "./segments";
import s from "./reading.module.css";

/** Where the findings lie in the whole text, as ticks from its beginning to its end. For the pointer; the list serves the keyboard. */
export const Rail = memo(function Rail({ marks, length, active, onSelect }: { marks: readonly Mark[]; length: number; active: string | null; onSelect: (markId: string) => void }) {
  return (
    <div className={s.rail} aria-hidden>
      {marks.map((mark) => (
        <button
          key={`${mark.id}-${mark.start}`}
          type="button"
          tabIndex={-1}
          className={s.tick}
          data-tone={mark.tone}
          data-active={mark.id === active || undefined}
          style={{ top: `${(mark.start / Math.max(1, length)) * 100}%` }}
          onClick={() => { onSelect(mark.id); }}
        />
      ))}
    </div>
  );
});

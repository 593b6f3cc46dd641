import * as Radix from "@radix-ui/react-tooltip";
import type { ReactElement } from "react";
import s from "./overlay.module.css";

export const TooltipProvider = Radix.Provider;

/** A hint on hover and focus; never the only place of a fact that matters. */
export function Tooltip({ text, children, side = "bottom" }: { text: string; children: ReactElement; side?: "top" | "bottom" | "left" | "right" }) {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{children}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content className={s.tooltip} side={side} sideOffset={6} collisionPadding={8}>
          {text}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

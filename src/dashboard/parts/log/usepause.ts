import { useState } from "react";
import type { LogLine } from "./buffer.ts";
import type { LogState } from "./feed.ts";

/** What was there when the reader stopped the log, and how he did. */
interface Held {
  lines: readonly LogLine[];
  received: number;
  by: "button" | "scroll";
}

export interface LogPause {
  /** What is shown. */
  lines: readonly LogLine[];
  isPaused: boolean;
  /** Lines that have come since it is paused. */
  newCount: number;
  pause(): void;
  resume(): void;
  /** The reader has scrolled away from the newest line, or back to it. */
  onFollowing(isFollowing: boolean): void;
}

/**
 * Lets the reader stop a log by a button, or by scrolling away from its end: what he reads stays
 * where it is, and what comes is counted. Scrolling back ends what scrolling began.
 */
export function usePause({ lines, received }: LogState): LogPause {
  const [held, setHeld] = useState<Held>();
  const resume = () => setHeld(undefined);
  const hold = (by: Held["by"]) => setHeld((before) => ({ lines, received, ...before, by }));
  return {
    lines: held?.lines ?? lines,
    isPaused: held !== undefined,
    newCount: held === undefined ? 0 : received - held.received,
    pause: () => hold("button"),
    resume,
    onFollowing: (isFollowing) => {
      if (!isFollowing && held === undefined) hold("scroll");
      if (isFollowing && held?.by === "scroll") resume();
    },
  };
}

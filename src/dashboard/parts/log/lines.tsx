import { useVirtualizer, type Virtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  type RefObject,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { useTexts } from "../../text/i18n.ts";
import type { LogLine } from "./buffer.ts";
import { LineText } from "./line.tsx";
import { logTexts } from "./texts.ts";

interface LogLinesProps {
  /** Oldest first. */
  lines: readonly LogLine[];
  /** What is marked in them. */
  search?: string;
  /** The newest line stays in sight. */
  isFollowing: boolean;
  /** The reader has scrolled away from the newest line, or back to it. */
  onFollowing(isFollowing: boolean): void;
  onOpen(line: LogLine): void;
}

const ROW_PX = 24;
const PAGE_ROWS = 20;

/**
 * The lines of a log, of which only those in sight are drawn. Arrow keys go through them, Enter
 * opens one.
 */
export function LogLines(props: LogLinesProps) {
  const { lines, search = "", isFollowing, onFollowing, onOpen } = props;
  const t = useTexts(logTexts);
  const id = useId();
  const place = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<number>();
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => place.current,
    estimateSize: () => ROW_PX,
    getItemKey: (at) => lines[at]?.number ?? at,
    overscan: 24,
  });
  const onScroll = useFollowing({ place, lines, isFollowing, onFollowing });
  const at = lines.findIndex(({ number }) => number === active);
  const onKeyDown = (event: KeyboardEvent) => {
    const chosen = lines[at];
    if (event.key === "Enter" && chosen !== undefined) return onOpen(chosen);
    const next = nextOf(event.key, at, lines.length);
    if (next === undefined) return undefined;
    event.preventDefault();
    onFollowing(next === lines.length - 1);
    setActive(lines[next]?.number);
    virtual.scrollToIndex(next);
    return undefined;
  };
  return (
    <div
      {...{ className: "log-lines", ref: place }}
      role="listbox"
      tabIndex={0}
      {...{ onScroll, onKeyDown, "aria-label": t("list") }}
      aria-activedescendant={isDrawn(virtual, at) ? `${id}-${active}` : undefined}
    >
      <div className="log-space" role="presentation" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const line = lines[index];
          if (line === undefined) return null;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the list takes the keys
            <div
              key={line.number}
              id={`${id}-${line.number}`}
              role="option"
              className="log-line"
              aria-selected={line.number === active}
              aria-posinset={index + 1}
              aria-setsize={lines.length}
              style={{ transform: `translateY(${start}px)` }}
              onClick={() => {
                setActive(line.number);
                onOpen(line);
              }}
            >
              <LineText line={line} search={search} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function isDrawn(virtual: Virtualizer<HTMLDivElement, Element>, at: number): boolean {
  return virtual.getVirtualItems().some(({ index }) => index === at);
}

/** Where a key leads from the line at `at`; undefined: nowhere. Without one it is the newest. */
function nextOf(key: string, at: number, count: number): number | undefined {
  const from = at < 0 ? count : at;
  const places: Partial<Record<string, number>> = {
    ...{ ArrowUp: from - 1, ArrowDown: from + 1, Home: 0, End: count - 1 },
    ...{ PageUp: from - PAGE_ROWS, PageDown: from + PAGE_ROWS },
  };
  const next = places[key];
  if (next === undefined || count === 0) return undefined;
  return Math.max(0, Math.min(count - 1, next));
}

interface FollowingOptions extends Pick<LogLinesProps, "lines" | "isFollowing" | "onFollowing"> {
  place: RefObject<HTMLDivElement | null>;
}

/** Keeps the newest line in sight, and notices when the reader scrolls away and back. */
function useFollowing({ place, lines, isFollowing, onFollowing }: FollowingOptions) {
  const lastTop = useRef(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: every new line moves the end
  useLayoutEffect(() => {
    const node = place.current;
    if (node === null || !isFollowing) return undefined;
    const toEnd = () => {
      node.scrollTop = node.scrollHeight;
      lastTop.current = node.scrollTop;
    };
    toEnd();
    const resized = new ResizeObserver(toEnd);
    resized.observe(node);
    return () => resized.disconnect();
  }, [lines, isFollowing]);

  return () => {
    const node = place.current;
    if (node === null) return;
    const isUp = node.scrollTop < lastTop.current;
    const beyond = node.scrollHeight - node.clientHeight - node.scrollTop;
    lastTop.current = node.scrollTop;
    if (isFollowing && isUp && beyond > ROW_PX) onFollowing(false);
    if (!isFollowing && !isUp && beyond < 2) onFollowing(true);
  };
}

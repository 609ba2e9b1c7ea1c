import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import { Button } from "../../parts/button.tsx";
import { Confirm } from "../../parts/dialog.tsx";
import { useTexts } from "../../text/i18n.ts";
import { LanePartView } from "./lane.tsx";
import type { Room } from "./room.ts";
import { rowHeight, type TranscriptRow, transcriptRows } from "./rows.ts";
import { playgroundTexts } from "./texts.ts";
import { Pair, Said } from "./turn.tsx";
import type { TurnActions } from "./turnactions.ts";
import { useRoom } from "./useshelf.ts";

/** Who is as near to the end as this, follows it. */
const END_PX = 80;
const NOBODY: readonly number[] = [];

/**
 * A conversation, of which only what is in sight is drawn. It follows the end as an answer grows,
 * unless the reader has scrolled up.
 */
export function Transcript({ room }: { room: Room }) {
  const t = useTexts(playgroundTexts);
  const { conversation, running } = useRoom(room);
  const { turns } = conversation;
  const rows = useMemo(() => transcriptRows(turns), [turns]);
  const place = useRef<HTMLDivElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const { actions, question } = useActions(room);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => place.current,
    getItemKey: (index) => rows[index]?.key ?? index,
    estimateSize: (index) => {
      const row = rows[index];
      return row === undefined ? 0 : rowHeight(row);
    },
    overscan: 6,
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: END_PX,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was said last comes into sight
  useEffect(() => virtual.scrollToEnd(), [room, turns.length]);
  const last = turns.length - 1;
  return (
    <div className="transcript">
      <div
        className="turns"
        ref={place}
        onScroll={({ currentTarget }) => setAtEnd(distanceFromEnd(currentTarget) <= END_PX)}
        role="log"
        aria-label={t("conversation")}
        aria-busy={running.length > 0}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keys as well
        tabIndex={0}
      >
        <div className="turns-space" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, key, start }) => {
            const row = rows[index];
            if (row === undefined) return null;
            return (
              <div
                key={key}
                ref={virtual.measureElement}
                data-index={index}
                className={`turn-row is-${row.kind}${row.isTurnEnd ? " is-turn-end" : ""}`}
                style={{ transform: `translateY(${start}px)` }}
              >
                <RowView
                  {...{ row, actions, isLast: row.at === last, isBusy: running.length > 0 }}
                  running={row.at === last ? running : NOBODY}
                />
              </div>
            );
          })}
        </div>
      </div>
      {!isAtEnd && (
        <div className="to-end">
          <Button icon="down" onClick={() => virtual.scrollToEnd()}>
            {t("to_end")}
          </Button>
        </div>
      )}
      {question}
    </div>
  );
}

function distanceFromEnd({ scrollHeight, scrollTop, clientHeight }: Element): number {
  return scrollHeight - scrollTop - clientHeight;
}

interface RowProps {
  row: TranscriptRow;
  isLast: boolean;
  running: readonly number[];
  isBusy: boolean;
  actions: TurnActions;
}

/** Drawn again only when it changes. */
const RowView = memo(function RowView({ row, running, ...place }: RowProps) {
  const { at } = row;
  switch (row.kind) {
    case "said":
      return <Said turn={row.turn} {...{ ...place, at }} />;
    case "pair":
      return <Pair lanes={row.turn.lanes} {...{ ...place, at, running }} />;
    default: {
      const { lane, ...part } = row;
      const isRunning = running.includes(0);
      return <LanePartView {...{ ...place, part, lane, at, isRunning, index: 0 }} />;
    }
  }
});

/** What the rows do; where something is lost by it, that is asked first. */
function useActions(room: Room) {
  const t = useTexts(playgroundTexts);
  const [asked, setAsked] = useState<{ count: number; run: () => void }>();
  const actions = useMemo((): TurnActions => {
    const go = (at: number, run: () => void) => {
      const count = room.state.conversation.turns.length - 1 - at;
      if (count > 0) setAsked({ count, run });
      else run();
    };
    return {
      say: (at, text) => {
        const images = room.state.conversation.turns[at]?.images ?? [];
        go(at, () => room.say({ text, images }, at));
      },
      regenerate: (at, lane) => go(at, () => room.regenerate({ at, lane })),
      giveResult: (at, lane, callId, result) => room.giveResult({ at, lane }, callId, result),
      proposalOf: (name) => {
        const { tools } = room.state.conversation.settings;
        return tools.find((tool) => tool.name === name)?.result ?? "";
      },
    };
  }, [room]);
  const question = (
    <Confirm
      {...{ isOpen: asked !== undefined, onClose: () => setAsked(undefined) }}
      {...{ title: t("drop_title"), text: t("drop_text", { count: asked?.count ?? 0 }) }}
      {...{ action: t("drop"), failure: t("drop_title") }}
      run={async () => asked?.run()}
    />
  );
  return { actions, question };
}

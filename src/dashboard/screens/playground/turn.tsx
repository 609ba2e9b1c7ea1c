import { useState } from "react";
import { Button } from "../../parts/button.tsx";
import { isComposing } from "../../parts/composing.ts";
import { useTexts } from "../../text/i18n.ts";
import type { Lane, Turn } from "./conversation.ts";
import { LanePartView } from "./lane.tsx";
import { laneParts } from "./rows.ts";
import { playgroundTexts } from "./texts.ts";
import { Thumbnails } from "./thumbnails.tsx";
import type { TurnActions } from "./turnactions.ts";

interface SaidProps {
  turn: Turn;
  at: number;
  isBusy: boolean;
  actions: TurnActions;
}

/** A message of the reader. */
export function Said({ turn, at, isBusy, actions }: SaidProps) {
  const t = useTexts(playgroundTexts);
  const [isEditing, setEditing] = useState(false);
  return (
    <section className="said" aria-label={t("you")}>
      <header className="turn-head">
        <strong>{t("you")}</strong>
        {!isEditing && !isBusy && (
          <button type="button" className="link" onClick={() => setEditing(true)}>
            {t("edit")}
          </button>
        )}
      </header>
      {isEditing ? (
        <Editor
          text={turn.text}
          onClose={() => setEditing(false)}
          onSave={(text) => actions.say(at, text)}
        />
      ) : (
        turn.text !== "" && <p className="plain">{turn.text}</p>
      )}
      <Thumbnails images={turn.images} />
    </section>
  );
}

interface PairProps {
  lanes: readonly Lane[];
  at: number;
  /** Nothing was said after it. */
  isLast: boolean;
  /** Lanes that are answered now. */
  running: readonly number[];
  isBusy: boolean;
  actions: TurnActions;
}

/** What two models made of a message, beside each other. */
export function Pair({ lanes, running, ...place }: PairProps) {
  return (
    <div className="lanes">
      {lanes.map((lane, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a lane is its place
        <section key={i} className="lane" aria-label={lane.model}>
          {laneParts(lane).map((part, at) => (
            <LanePartView
              // biome-ignore lint/suspicious/noArrayIndexKey: a part is its place
              key={at}
              {...{ ...place, part, lane, index: i, isRunning: running.includes(i) }}
            />
          ))}
        </section>
      ))}
    </div>
  );
}

function Editor(props: { text: string; onSave(text: string): void; onClose(): void }) {
  const { onSave, onClose } = props;
  const t = useTexts(playgroundTexts);
  const [text, setText] = useState(props.text);
  return (
    <div className="turn-edit">
      <textarea
        className="input"
        aria-label={t("edit_message")}
        value={text}
        // biome-ignore lint/a11y/noAutofocus: who presses Edit wants to write
        autoFocus
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && !isComposing(event) && onClose()}
      />
      <div className="row is-end">
        <Button onClick={onClose}>{t("cancel")}</Button>
        <Button
          kind="primary"
          disabled={text.trim() === ""}
          onClick={() => {
            onSave(text);
            onClose();
          }}
        >
          {t("send")}
        </Button>
      </div>
    </div>
  );
}

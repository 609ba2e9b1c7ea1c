import { useState } from "react";
import { Button } from "../../parts/button.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import type { Message, Timings } from "./conversation.ts";
import { Answer } from "./markdown.tsx";
import { playgroundTexts } from "./texts.ts";

interface MessageProps {
  message: Message;
  /** It is being written. */
  isRunning: boolean;
  /** Nothing else may be asked for now. */
  isBusy: boolean;
  onEdit(text: string): void;
  onRegenerate(): void;
}

/** One thing that was said, by the reader or by a model. */
export function MessageView(props: MessageProps) {
  const { message, isBusy, isRunning, onEdit, onRegenerate } = props;
  const t = useTexts(playgroundTexts);
  const [isEditing, setEditing] = useState(false);
  const isOwn = message.role === "user";
  if (isEditing) return <Editor {...{ message, onEdit }} onClose={() => setEditing(false)} />;
  return (
    <article className={isOwn ? "message is-own" : "message"}>
      <div className="message-head">
        <strong>{isOwn ? t("you") : t("answer")}</strong>
        {!isBusy && (
          <button
            type="button"
            className="link"
            onClick={() => (isOwn ? setEditing(true) : onRegenerate())}
          >
            {isOwn ? t("edit") : t("regenerate")}
          </button>
        )}
      </div>
      {message.thinking !== "" && (
        <details className="thinking" open={isRunning && message.content === ""}>
          <summary>{t("thinking")}</summary>
          <p>{message.thinking}</p>
        </details>
      )}
      {isOwn ? <p className="said">{message.content}</p> : <Answer text={message.content} />}
      {isRunning && message.content === "" && <span className="spinner" />}
      {message.error !== undefined && (
        <div className="note is-bad" role="alert">
          {message.error}
        </div>
      )}
      {message.timings !== undefined && <TimingLine timings={message.timings} />}
    </article>
  );
}

function Editor(props: Pick<MessageProps, "message" | "onEdit"> & { onClose(): void }) {
  const { message, onEdit, onClose } = props;
  const t = useTexts(playgroundTexts);
  const [text, setText] = useState(message.content);
  const save = () => {
    onEdit(text);
    onClose();
  };
  return (
    <div className="message is-own">
      <textarea
        className="input"
        aria-label={t("message")}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <div className="row is-end">
        <Button onClick={onClose}>{t("cancel")}</Button>
        <Button kind="primary" disabled={text.trim() === ""} onClick={save}>
          {t("send")}
        </Button>
      </div>
    </div>
  );
}

/** How long what took, and who answered. */
function TimingLine({ timings }: { timings: Timings }) {
  const t = useTexts(playgroundTexts);
  const { count, duration, rate } = useFormat();
  const { queueMs, firstTokenMs, totalMs, outputTokens, cachedTokens, endpoint } = timings;
  const streamMs = totalMs - (firstTokenMs ?? 0);
  const parts = [
    endpoint !== null && t("served_by", { name: endpoint }),
    queueMs !== null && t("timing_queue", { time: duration(queueMs) }),
    firstTokenMs !== null && t("timing_first", { time: duration(firstTokenMs) }),
    outputTokens !== null && t("timing_tokens", { tokens: count(outputTokens) }),
    outputTokens !== null &&
      outputTokens > 1 &&
      streamMs > 0 &&
      t("timing_rate", { rate: rate((1000 * (outputTokens - 1)) / streamMs) }),
    cachedTokens !== null && t("timing_cached", { tokens: count(cachedTokens) }),
    duration(totalMs),
  ];
  return <p className="timings">{parts.filter((part) => part !== false).join(" · ")}</p>;
}

import {
  type ClipboardEvent,
  type DragEvent,
  type FormEvent,
  type KeyboardEvent,
  useEffect,
  useRef,
  useState,
} from "react";
import { Button, IconButton } from "../../parts/button.tsx";
import { isComposing } from "../../parts/composing.ts";
import { useTexts } from "../../text/i18n.ts";
import type { Picture } from "./conversation.ts";
import { PICTURE_TYPES } from "./pictures.ts";
import { playgroundTexts } from "./texts.ts";
import { Thumbnails } from "./thumbnails.tsx";
import { usePictures } from "./usepictures.ts";

interface ComposerProps {
  isAnswering: boolean;
  /** Names of the chosen models that are not known to see images; the server has the last word. */
  blind: readonly string[];
  onSay(said: { text: string; images: Picture[] }): void;
  onStop(): void;
}

/** Where a message is written: with images that are chosen, pasted or dropped. */
export function Composer({ isAnswering, blind, onSay, onStop }: ComposerProps) {
  const t = useTexts(playgroundTexts);
  const [text, setText] = useState("");
  const { images, fault, add, remove, clear } = usePictures();
  const { isOver, ...drop } = useDrop(add);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    // On a phone that would open the keyboard over half of the screen.
    if (matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, []);
  const maySend = !isAnswering && (text.trim() !== "" || images.length > 0);
  const submit = (event: FormEvent | KeyboardEvent) => {
    event.preventDefault();
    if (!maySend) return;
    onSay({ text, images: [...images] });
    setText("");
    clear();
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === "Escape" && isAnswering) onStop();
    if (event.key === "Enter" && !event.shiftKey) submit(event);
  };
  return (
    <form className={isOver ? "composer is-over" : "composer"} onSubmit={submit} {...drop}>
      <Thumbnails images={images} onRemove={remove} />
      {images.length > 0 && blind.length > 0 && (
        <p className="note is-warn" role="status">
          {t("blind", { models: blind.join(", ") })}
        </p>
      )}
      {fault !== undefined && (
        <p className="note is-bad" role="alert">
          {t(`picture_${fault.kind}`, { name: fault.name })}
        </p>
      )}
      <div className="composer-row">
        <Chooser onChoose={add} />
        <textarea
          ref={field}
          className="input"
          aria-label={t("message")}
          placeholder={t("message_hint")}
          value={text}
          rows={Math.min(8, Math.max(2, text.split("\n").length))}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          onPaste={(event: ClipboardEvent) => add(event.clipboardData.files)}
        />
        {isAnswering ? (
          <Button
            icon="stop"
            onClick={() => {
              onStop();
              field.current?.focus();
            }}
          >
            {t("stop")}
          </Button>
        ) : (
          <Button kind="primary" icon="send" submits disabled={!maySend}>
            {t("send")}
          </Button>
        )}
      </div>
    </form>
  );
}

/** What takes files that are dropped. */
function useDrop(onFiles: (files: FileList) => void) {
  const [isOver, setOver] = useState(false);
  return {
    isOver,
    onDrop(event: DragEvent) {
      event.preventDefault();
      setOver(false);
      onFiles(event.dataTransfer.files);
    },
    onDragOver(event: DragEvent) {
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
  };
}

function Chooser({ onChoose }: { onChoose(files: FileList): void }) {
  const t = useTexts(playgroundTexts);
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <IconButton icon="image" label={t("add_image")} onClick={() => input.current?.click()} />
      <input
        ref={input}
        type="file"
        accept={PICTURE_TYPES.join(",")}
        multiple
        hidden
        onChange={(event) => {
          if (event.target.files !== null) onChoose(event.target.files);
          event.target.value = "";
        }}
      />
    </>
  );
}

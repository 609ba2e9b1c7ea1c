import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import { Button, IconButton } from "../../parts/button.tsx";
import { isComposing } from "../../parts/composing.ts";
import { Confirm } from "../../parts/dialog.tsx";
import { download } from "../../parts/download.ts";
import { useSettled } from "../../parts/settled.ts";
import { sayDone, sayFailed } from "../../parts/toast.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import type { Shelf } from "./shelf.ts";
import { CHARS_MAX, CONVERSATIONS_MAX, type ConversationHead } from "./store.ts";
import { playgroundTexts } from "./texts.ts";
import { exported, imported } from "./transfer.ts";

interface ListProps {
  shelf: Shelf;
  heads: readonly ConversationHead[];
  /** The conversation that is shown. */
  openId: string;
  /** One was chosen. */
  onOpen(): void;
}

const ROW_PX = 52;

/** The conversations that this browser keeps. */
export function ConversationList({ shelf, heads, openId, onOpen }: ListProps) {
  const t = useTexts(playgroundTexts);
  const [text, setText] = useState("");
  const found = useFound(shelf, heads, text);
  const place = useRef<HTMLUListElement>(null);
  const virtual = useVirtualizer({
    count: found.length,
    getScrollElement: () => place.current,
    estimateSize: () => ROW_PX,
    overscan: 8,
  });
  const open = (id: string) => void shelf.open(id).then(onOpen);
  return (
    <aside className="bench-list" aria-label={t("conversations")}>
      <input
        className="input"
        type="search"
        aria-label={t("search")}
        placeholder={t("search")}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <ul className="bench-heads" ref={place}>
        {found.length === 0 && (
          <li className="hint">{heads.length === 0 ? t("list_empty") : t("list_none")}</li>
        )}
        {found.length > 0 && <li aria-hidden="true" style={{ height: virtual.getTotalSize() }} />}
        {virtual.getVirtualItems().map(({ index, start }) => {
          const head = found[index];
          if (head === undefined) return null;
          return (
            <HeadRow
              key={head.id}
              {...{ shelf, head, start }}
              isOpen={head.id === openId}
              onOpen={() => open(head.id)}
            />
          );
        })}
      </ul>
      <ListFoot shelf={shelf} heads={heads} />
    </aside>
  );
}

/** Those in which a text stands, in their titles at once, in their messages a moment later. */
function useFound(shelf: Shelf, heads: readonly ConversationHead[], text: string) {
  const wanted = useSettled(text.trim());
  const [ids, setIds] = useState<ReadonlySet<string>>();
  useEffect(() => {
    let isOver = false;
    setIds(undefined);
    if (wanted === "") return undefined;
    void shelf.search(wanted).then((found) => {
      if (!isOver) setIds(found);
    });
    return () => {
      isOver = true;
    };
  }, [shelf, wanted]);
  if (text.trim() === "") return heads;
  const lower = text.trim().toLowerCase();
  return heads.filter(({ id, title }) => title.toLowerCase().includes(lower) || ids?.has(id));
}

interface HeadRowProps {
  shelf: Shelf;
  head: ConversationHead;
  /** Where it stands in the list, in pixels. */
  start: number;
  isOpen: boolean;
  onOpen(): void;
}

function HeadRow({ shelf, head, start, isOpen, onOpen }: HeadRowProps) {
  const t = useTexts(playgroundTexts);
  const { ago, count } = useFormat();
  const [state, setState] = useState<"" | "rename" | "delete">("");
  const { id, updatedAt, turns } = head;
  const title = head.title === "" ? t("untitled") : head.title;
  return (
    <li
      className={isOpen ? "bench-head is-open" : "bench-head"}
      style={{ transform: `translateY(${start}px)` }}
    >
      {state === "rename" ? (
        <Rename
          title={head.title}
          onClose={() => setState("")}
          onSave={(changed) => {
            setState("");
            void shelf.rename(id, changed).catch((error) => sayFailed(t("rename"), error));
          }}
        />
      ) : (
        <>
          <button type="button" className="bench-open" aria-current={isOpen} onClick={onOpen}>
            <span className="cut" title={title}>
              {title}
            </span>
            <span className="hint">
              {ago(new Date(updatedAt).toISOString())} ·{" "}
              {t("turns", { count: turns, n: count(turns) })}
            </span>
          </button>
          <IconButton
            icon="pencil"
            label={t("rename_this", { title })}
            onClick={() => setState("rename")}
          />
          <IconButton
            icon="close"
            label={t("delete_this", { title })}
            onClick={() => setState("delete")}
          />
        </>
      )}
      <Confirm
        {...{ isOpen: state === "delete", onClose: () => setState("") }}
        {...{ title: t("delete_title", { title }), text: t("delete_text") }}
        {...{ action: t("delete"), failure: t("delete_failed") }}
        run={() => shelf.remove(id)}
      />
    </li>
  );
}

function Rename(props: { title: string; onSave(title: string): void; onClose(): void }) {
  const { onSave, onClose } = props;
  const t = useTexts(playgroundTexts);
  const [title, setTitle] = useState(props.title);
  return (
    <form
      className="bench-rename"
      onSubmit={(event) => {
        event.preventDefault();
        onSave(title.trim());
      }}
    >
      <input
        className="input"
        aria-label={t("title")}
        value={title}
        maxLength={200}
        // biome-ignore lint/a11y/noAutofocus: who presses Rename wants to write
        autoFocus
        onChange={(event) => setTitle(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && !isComposing(event) && onClose()}
        onBlur={() => onSave(title.trim())}
      />
    </form>
  );
}

/** How much is kept, and how it is taken elsewhere. */
function ListFoot({ shelf, heads }: Pick<ListProps, "shelf" | "heads">) {
  const t = useTexts(playgroundTexts);
  const { bytes, count } = useFormat();
  const file = useRef<HTMLInputElement>(null);
  const size = heads.reduce((sum, { chars }) => sum + chars, 0);
  const exportAll = async () => {
    const all = await Promise.all(heads.map(({ id }) => shelf.load(id)));
    const text = exported(all.filter((one) => one !== undefined));
    download("llmlb-conversations.json", [text], "application/json");
  };
  const importFrom = async (chosen: File) => {
    try {
      const conversations = imported(await chosen.text());
      await shelf.add(conversations);
      sayDone(t("imported", { count: conversations.length }));
    } catch (error) {
      sayFailed(t("import_failed"), error);
    }
  };
  return (
    <div className="bench-foot">
      <p className="hint">
        {t("list_size", {
          ...{ n: count(heads.length), max: count(CONVERSATIONS_MAX) },
          ...{ size: bytes(size), most: bytes(CHARS_MAX) },
        })}
      </p>
      <div className="row">
        <Button
          disabled={heads.length === 0}
          onClick={() => void exportAll().catch((error) => sayFailed(t("export"), error))}
        >
          {t("export")}
        </Button>
        <Button onClick={() => file.current?.click()}>{t("import")}</Button>
      </div>
      <input
        ref={file}
        type="file"
        accept="application/json,.json"
        hidden
        onChange={(event) => {
          const [chosen] = event.target.files ?? [];
          if (chosen !== undefined) void importFrom(chosen);
          event.target.value = "";
        }}
      />
    </div>
  );
}

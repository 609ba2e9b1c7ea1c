import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useModels } from "../../api/models.ts";
import { Button, IconButton } from "../../parts/button.tsx";
import { CopyText } from "../../parts/copy.tsx";
import { Confirm, Window } from "../../parts/dialog.tsx";
import { Choice, TextField } from "../../parts/field.tsx";
import { Page } from "../../parts/page.tsx";
import { Empty, Loaded } from "../../parts/states.tsx";
import { useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { requestOf } from "./conversation.ts";
import { MessageView } from "./message.tsx";
import { SNIPPETS, type SnippetLanguage, snippetOf } from "./snippets.ts";
import { playgroundTexts } from "./texts.ts";
import { type Chat, useChat } from "./usechat.ts";

type Model = { id: string; ready: boolean };

/** Talking to a model. */
export function Playground() {
  const t = useTexts(playgroundTexts);
  const models = useModels();
  const chat = useChat();
  const [open, setOpen] = useState<"" | "code" | "clear">("");
  const { conversation, change, isAnswering } = chat;
  const isEmpty = conversation.messages.length === 0;
  const close = () => setOpen("");
  const actions = (
    <>
      <IconButton icon="copy" label={t("code")} onClick={() => setOpen("code")} />
      <Button icon="plus" disabled={isEmpty || isAnswering} onClick={() => setOpen("clear")}>
        {t("clear")}
      </Button>
    </>
  );
  return (
    <Page title={useTitle("playground")} actions={actions}>
      <Loaded query={models}>
        {({ data }) =>
          data.length === 0 ? <Empty title={t("no_models")} /> : <Room chat={chat} models={data} />
        }
      </Loaded>
      <Window title={t("code")} isOpen={open === "code"} onClose={close}>
        <Code request={requestOf(conversation)} />
      </Window>
      <Confirm
        {...{ isOpen: open === "clear", onClose: close, failure: t("cleared") }}
        {...{ title: t("clear_title"), text: t("clear_text"), action: t("clear") }}
        run={async () => change({ messages: [] })}
      />
    </Page>
  );
}

function Room({ chat, models }: { chat: Chat; models: readonly Model[] }) {
  const { conversation, change } = chat;
  const { model } = conversation;
  const first = models.find(({ ready }) => ready) ?? models[0];
  const isThere = models.some(({ id }) => id === model);
  useEffect(() => {
    if (!isThere && first !== undefined) change({ model: first.id });
  }, [isThere, first, change]);
  return (
    <div className="playground">
      <div className="talk">
        <Messages chat={chat} />
        <Composer chat={chat} />
      </div>
      <Parameters chat={chat} models={models} />
    </div>
  );
}

function Messages({ chat }: { chat: Chat }) {
  const t = useTexts(playgroundTexts);
  const { conversation, isAnswering, say, regenerate } = chat;
  const { messages } = conversation;
  const end = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is new comes into sight
  useEffect(() => {
    end.current?.scrollIntoView({ block: "nearest" });
  }, [messages]);
  if (messages.length === 0) return <Empty title={t("empty")} text={t("empty_text")} />;
  return (
    <div className="messages" aria-live="polite" aria-busy={isAnswering}>
      {messages.map((message, i) => (
        <MessageView
          // biome-ignore lint/suspicious/noArrayIndexKey: a message is its place
          key={i}
          {...{ message, isBusy: isAnswering }}
          isRunning={isAnswering && i === messages.length - 1}
          onEdit={(text) => say(text, i)}
          onRegenerate={() => regenerate(i)}
        />
      ))}
      <div ref={end} />
    </div>
  );
}

function Composer({ chat: { isAnswering, say, stop } }: { chat: Chat }) {
  const t = useTexts(playgroundTexts);
  const [text, setText] = useState("");
  const submit = (event: FormEvent | KeyboardEvent) => {
    event.preventDefault();
    if (isAnswering || text.trim() === "") return;
    say(text);
    setText("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While letters are put together, as in Japanese, Enter chooses among them.
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) submit(event);
  };
  return (
    <form className="composer" onSubmit={submit}>
      <textarea
        className="input"
        aria-label={t("message")}
        placeholder={t("message_hint")}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {isAnswering ? (
        <Button icon="stop" onClick={stop}>
          {t("stop")}
        </Button>
      ) : (
        <Button kind="primary" icon="send" submits disabled={text.trim() === ""}>
          {t("send")}
        </Button>
      )}
    </form>
  );
}

function Parameters({ chat, models }: { chat: Chat; models: readonly Model[] }) {
  const t = useTexts(playgroundTexts);
  const { conversation, change } = chat;
  const { model, system, temperature, maxTokens } = conversation;
  const options = models.map(({ id, ready }) => ({
    ...{ value: id, text: ready ? id : t("not_ready", { model: id }) },
  }));
  return (
    <div className="parameters form">
      <Choice
        {...{ label: t("model"), value: model, options }}
        onChange={(value) => change({ model: value })}
      />
      <label className="field">
        <span>{t("system")}</span>
        <textarea
          className="input"
          value={system}
          onChange={(event) => change({ system: event.target.value })}
        />
      </label>
      <TextField
        {...{ label: t("temperature"), value: temperature, inputMode: "decimal" }}
        onChange={(value) => change({ temperature: value })}
      />
      <TextField
        {...{ label: t("max_tokens"), value: maxTokens, inputMode: "numeric" }}
        onChange={(value) => change({ maxTokens: value })}
      />
    </div>
  );
}

function Code({ request }: { request: Record<string, unknown> }) {
  const t = useTexts(playgroundTexts);
  const [language, setLanguage] = useState<SnippetLanguage>("curl");
  return (
    <>
      <Choice
        {...{ label: t("language"), value: language, hint: t("code_text") }}
        onChange={(value) => setLanguage(value)}
        options={SNIPPETS.map((one) => ({ value: one, text: one }))}
      />
      <CopyText text={snippetOf(language, location.origin, request)} />
    </>
  );
}

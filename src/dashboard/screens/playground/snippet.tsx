import { useState } from "react";
import { CopyText } from "../../parts/copy.tsx";
import { Choice } from "../../parts/field.tsx";
import { useTexts } from "../../text/i18n.ts";
import type { Conversation } from "./conversation.ts";
import { requestOf } from "./request.ts";
import { SNIPPETS, type SnippetLanguage, shortened, snippetOf } from "./snippets.ts";
import { playgroundTexts } from "./texts.ts";

/** The last request of a conversation, to be sent by a program. */
export function Snippet({ conversation }: { conversation: Conversation }) {
  const t = useTexts(playgroundTexts);
  const [language, setLanguage] = useState<SnippetLanguage>("curl");
  const [lane, setLane] = useState(0);
  const { targets, turns } = conversation;
  const at = turns.length - 1;
  // Before its answer, as it was or will be asked.
  const asked = turns.map((turn, i) => (i === at ? { ...turn, lanes: [] } : turn));
  const request = requestOf({ ...conversation, turns: asked }, at, lane);
  const text = snippetOf(language, location.origin, request);
  return (
    <>
      <Choice
        {...{ label: t("language"), value: language, hint: t("code_text") }}
        onChange={(value) => setLanguage(value)}
        options={SNIPPETS.map((one) => ({ value: one, text: one }))}
      />
      {targets.length > 1 && (
        <Choice
          {...{ label: t("model"), value: String(lane) }}
          onChange={(value) => setLane(Number(value))}
          options={targets.map(({ model }, i) => ({ value: String(i), text: model }))}
        />
      )}
      <CopyText text={text} shown={shortened(text)} />
    </>
  );
}

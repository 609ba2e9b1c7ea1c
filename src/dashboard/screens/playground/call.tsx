import { useState } from "react";
import { Button } from "../../parts/button.tsx";
import { useTexts } from "../../text/i18n.ts";
import { indentedJson } from "../../text/json.ts";
import type { Call } from "./conversation.ts";
import { playgroundTexts } from "./texts.ts";

interface CallProps {
  call: Call;
  /** Its result may be given. */
  isOpen: boolean;
  /** What its result is before the reader writes another one. */
  proposal: string;
  onResult(result: string): void;
}

/** A call that a model asked for; the reader says what it gives. */
export function CallView({ call, isOpen, proposal, onResult }: CallProps) {
  const t = useTexts(playgroundTexts);
  const { name, arguments: args, result } = call;
  const json = indentedJson(args);
  return (
    <div className="call">
      <div className="call-head">
        <span className="badge is-accent">{t("call")}</span>
        <code className="cut">{name}</code>
      </div>
      <pre className="code">{json ?? args}</pre>
      {json === undefined && args !== "" && <p className="note is-warn">{t("call_not_json")}</p>}
      {result !== null && (
        <>
          <span className="muted">{t("result")}</span>
          <pre className="code">{result === "" ? t("result_empty") : result}</pre>
        </>
      )}
      {result === null && isOpen && <Result {...{ name, proposal, onResult }} />}
      {result === null && !isOpen && <p className="muted">{t("result_none")}</p>}
    </div>
  );
}

function Result(props: Pick<CallProps, "proposal" | "onResult"> & { name: string }) {
  const { name, proposal, onResult } = props;
  const t = useTexts(playgroundTexts);
  const [text, setText] = useState(proposal);
  return (
    <form
      className="call-result"
      onSubmit={(event) => {
        event.preventDefault();
        onResult(text);
      }}
    >
      <textarea
        className="input mono"
        aria-label={t("result_of", { name })}
        placeholder={t("result_hint")}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <div className="row is-end">
        <Button kind="primary" submits>
          {t("result_send")}
        </Button>
      </div>
    </form>
  );
}

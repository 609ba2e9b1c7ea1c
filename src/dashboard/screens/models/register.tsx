import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { ModelPreview, PreviewChoice } from "../../../wire/preview.ts";
import { CallError } from "../../api/call.ts";
import { useSubmission } from "../../api/submission.ts";
import { Window } from "../../parts/dialog.tsx";
import { TextField } from "../../parts/field.tsx";
import { FormEnd, Refusal } from "../../parts/form.tsx";
import { useSettled } from "../../parts/settled.ts";
import { Loading } from "../../parts/states.tsx";
import { sayDone } from "../../parts/toast.tsx";
import { useTexts } from "../../text/i18n.ts";
import { registerModel, usePreview } from "./calls.ts";
import { Preview } from "./preview.tsx";
import { registerTexts } from "./registertexts.ts";

interface RegisterProps {
  isOpen: boolean;
  onClose(): void;
  /** What is written, and the file that is chosen; "": the repository as a whole. */
  repo: string;
  file: string;
  change(changes: { repo?: string; file?: string }): void;
}

/** Registers a model of the hub by its address or name. */
export function RegisterWindow({ isOpen, onClose, ...rest }: RegisterProps) {
  const t = useTexts(registerTexts);
  return (
    <Window title={t("register")} isOpen={isOpen} onClose={onClose}>
      <Form onClose={onClose} {...rest} />
    </Window>
  );
}

/** In the address for the whole, where the address of a file was pasted. */
const WHOLE = "*";

function Form({ onClose, repo, file, change }: Omit<RegisterProps, "isOpen">) {
  const t = useTexts(registerTexts);
  const navigate = useNavigate();
  const [text, setText] = useState(repo);
  const [alias, setAlias] = useState("");
  const settled = useSettled(text.trim());
  // Nothing on the hub has a name without a slash.
  const asked = /\S\/\S/.test(settled) ? settled : "";
  const preview = usePreview(asked);
  const choice = preview.data && chosenOf(preview.data, file);
  const isCurrent = asked !== "" && settled === text.trim();
  const register = useSubmission({
    mutationFn: (body: object) => registerModel(body),
    onSuccess: async ({ id }) => {
      sayDone(t("registered", { name: id }), t("registered_text"));
      await navigate({ to: "/models/$name", params: { name: id } as never });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (choice === undefined || !isCurrent) return;
    const aliases = alias.trim() === "" ? {} : { aliases: [alias.trim()] };
    register.mutate({ ...choice.register, ...aliases });
  };
  const { error } = register;
  const isAliasWrong = error instanceof CallError && (error.param ?? "").startsWith("aliases");
  return (
    <form className="form" onSubmit={submit}>
      <TextField
        {...{ label: t("repo"), value: text, required: true, autoFocus: true, inputMode: "url" }}
        {...{ hint: t("repo_hint"), placeholder: "Qwen/Qwen3-0.6B-GGUF", autoComplete: "off" }}
        onChange={(value) => {
          setText(value);
          change({ repo: value, file: "" });
        }}
      />
      {asked !== "" && preview.isPending && <Loading />}
      {preview.error !== null && <Failure error={preview.error} />}
      {preview.data !== undefined && choice !== undefined && (
        <>
          <Preview
            {...{ preview: preview.data, choice }}
            onChoose={({ filename }) => change({ file: filename ?? WHOLE })}
          />
          <TextField
            {...{ label: t("alias"), value: alias, onChange: setAlias, autoComplete: "off" }}
            {...{ hint: t("alias_hint"), error: isAliasWrong ? error.message : undefined }}
          />
        </>
      )}
      {error !== null && !isAliasWrong && <Failure error={error} />}
      <FormEnd
        {...{ onLeave: onClose, action: t("register"), isBusy: register.isPending }}
        disabled={choice === undefined || choice.registered || !isCurrent}
      />
    </form>
  );
}

/** What is chosen: what the address says, else the file that was pasted, else the whole. */
function chosenOf({ choices, selected }: ModelPreview, file: string): PreviewChoice | undefined {
  const wanted = file === "" ? selected : file === WHOLE ? null : file;
  return choices.find(({ filename }) => filename === wanted) ?? choices[0];
}

/** The failures that are told in the reader's language, by their codes. */
const FAILURES = [
  ...(["hub_repo_not_found", "hub_file_not_found", "hub_revision_not_found"] as const),
  ...(["hub_gated", "hub_unreachable", "hub_rate_limited", "hub_token_refused"] as const),
  ...(["invalid_repo", "unsuitable_repo", "model_already_registered"] as const),
] as const;

/** Those of which the server's own words say nothing more. */
const TOLD_IN_FULL: readonly string[] = [
  ...["hub_repo_not_found", "hub_revision_not_found", "model_already_registered"],
];

/** Why it cannot be registered, what to do about it, and the server's own words. */
function Failure({ error }: { error: Error }) {
  const t = useTexts(registerTexts);
  const code = error instanceof CallError ? error.code : "";
  const known = FAILURES.find((one) => one === code);
  if (known === undefined) return <Refusal title={t("register_failed")} text={error.message} />;
  const id = /already registered: (\S+?)\. /.exec(error.message)?.[1];
  return (
    <div className="note is-bad" role="alert">
      <strong>{t(`fail_${known}`)}</strong> {t(`fail_${known}_text`)}
      {known === "model_already_registered" && id !== undefined && (
        <>
          {" "}
          <Link to="/models/$name" params={{ name: id } as never}>
            {id}
          </Link>
        </>
      )}
      {!TOLD_IN_FULL.includes(known) && <p className="hint">{error.message}</p>}
    </div>
  );
}

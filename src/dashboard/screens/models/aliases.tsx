import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { RegisteredDetail } from "../../../wire/registry.ts";
import { useSubmission } from "../../api/submission.ts";
import { Button, IconButton } from "../../parts/button.tsx";
import { TextField } from "../../parts/field.tsx";
import { Panel } from "../../parts/page.tsx";
import { sayDone, sayFailed } from "../../parts/toast.tsx";
import { useTexts } from "../../text/i18n.ts";
import { changeModel } from "./calls.ts";
import { registerTexts } from "./registertexts.ts";
import { modelsTexts } from "./texts.ts";

/** The names that a model has in requests: its own, and those that operators give it. */
export function Aliases({ detail, mayManage }: { detail: RegisteredDetail; mayManage: boolean }) {
  const t = useTexts(modelsTexts);
  const { id, aliases, names } = detail;
  const own = new Set(aliases.map((alias) => alias.toLowerCase()));
  const others = names.filter((name) => !own.has(name.toLowerCase()));
  const change = useMutation({
    mutationFn: (next: string[]) => changeModel(id, { aliases: next }),
  });
  const remove = (alias: string) =>
    change.mutate(
      aliases.filter((one) => one !== alias),
      {
        onSuccess: () => sayDone(t("alias_removed", { name: alias })),
        onError: (error) => sayFailed(t("alias_failed"), error),
      },
    );
  return (
    <Panel title={t("aliases")}>
      <div className="panel-body form">
        <div className="row">
          {aliases.length === 0 && <span className="muted">{t("aliases_none")}</span>}
          {aliases.map((alias) => (
            <span key={alias} className={mayManage ? "chip" : "chip is-plain"}>
              <span className="cut">{alias}</span>
              {mayManage && (
                <IconButton
                  icon="close"
                  label={t("alias_remove", { name: alias })}
                  disabled={change.isPending}
                  onClick={() => remove(alias)}
                />
              )}
            </span>
          ))}
        </div>
        {mayManage && <AddAlias add={(alias) => change.mutateAsync([...aliases, alias])} />}
        <details className="fold">
          <summary>{t("n_names", { count: others.length })}</summary>
          <ul className="names mono">
            {others.map((name) => (
              <li key={name}>{name}</li>
            ))}
          </ul>
        </details>
      </div>
    </Panel>
  );
}

function AddAlias({ add }: { add(alias: string): Promise<unknown> }) {
  const t = useTexts(modelsTexts);
  const registerText = useTexts(registerTexts);
  const [text, setText] = useState("");
  const save = useSubmission({
    mutationFn: () => add(text.trim()),
    onSuccess: () => {
      sayDone(t("alias_added", { name: text.trim() }));
      setText("");
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form className="alias-form" onSubmit={submit}>
      <TextField
        {...{ label: t("alias_new"), value: text, autoComplete: "off", required: true }}
        {...{ hint: registerText("alias_hint"), error: save.error?.message }}
        onChange={(value) => {
          setText(value);
          save.reset();
        }}
      />
      <Button icon="plus" submits isBusy={save.isPending}>
        {t("alias_add")}
      </Button>
    </form>
  );
}

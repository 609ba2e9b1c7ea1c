import { type FormEvent, useState } from "react";
import { LoginAnswer } from "../../../wire/login.ts";
import { askWhoIAm } from "../../api/account.ts";
import { call } from "../../api/call.ts";
import { useSubmission } from "../../api/submission.ts";
import { Button } from "../../parts/button.tsx";
import { TextField } from "../../parts/field.tsx";
import { Refusal } from "../../parts/form.tsx";
import { useTexts } from "../../text/i18n.ts";
import { loginTexts } from "./texts.ts";

/** Choosing a password in place of one that somebody else has set. */
export function NewPassword() {
  const t = useTexts(loginTexts);
  const [next, setNext] = useState("");
  const [repeated, setRepeated] = useState("");
  const differs = repeated !== "" && repeated !== next;
  const change = useSubmission({
    mutationFn: () => call(LoginAnswer, "PUT /api/auth/password", { body: { new_password: next } }),
    onSuccess: askWhoIAm,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (next === repeated) change.mutate();
  };
  const common = { type: "password", autoComplete: "new-password", required: true };
  return (
    <form className="form" onSubmit={submit}>
      <h1 className="login-title">{t("change")}</h1>
      <p className="hint">{t("change_text")}</p>
      <TextField {...common} label={t("new_password")} value={next} onChange={setNext} autoFocus />
      <TextField
        {...common}
        {...{ label: t("repeat"), value: repeated, onChange: setRepeated }}
        error={differs ? t("no_match") : undefined}
      />
      {change.isError && <Refusal title={t("change")} text={change.error.message} />}
      <Button kind="primary" submits isBusy={change.isPending} disabled={differs}>
        {t("save")}
      </Button>
    </form>
  );
}

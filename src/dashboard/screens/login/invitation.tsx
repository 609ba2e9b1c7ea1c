import { type FormEvent, useState } from "react";
import { LoginAnswer } from "../../../wire/login.ts";
import { askWhoIAm } from "../../api/account.ts";
import { CallError, call } from "../../api/call.ts";
import { useSubmission } from "../../api/submission.ts";
import { forgetInvitation } from "../../app/invitationlink.ts";
import { Button } from "../../parts/button.tsx";
import { TextField } from "../../parts/field.tsx";
import { Refusal } from "../../parts/form.tsx";
import { useTexts } from "../../text/i18n.ts";
import { loginTexts } from "./texts.ts";

interface AcceptProps {
  /** Of the link; "" if it is to be typed. */
  code: string;
  onLeave(): void;
}

/** Making one's own account with an invitation, which logs in as well. */
export function AcceptInvitation({ code: given, onLeave }: AcceptProps) {
  const t = useTexts(loginTexts);
  const [code, setCode] = useState(given);
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [repeated, setRepeated] = useState("");
  const accept = useSubmission({
    mutationFn: () =>
      call(LoginAnswer, "POST /api/auth/register", {
        body: { invitation_code: code.trim(), username, password },
      }),
    onSuccess: () => {
      forgetInvitation();
      return askWhoIAm();
    },
  });
  const differs = repeated !== "" && repeated !== password;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (password === repeated) accept.mutate();
  };
  const { error } = accept;
  const isOfName = error instanceof CallError && error.code === "user_exists";
  const secret = { type: "password", autoComplete: "new-password", required: true };
  return (
    <form className="form" onSubmit={submit}>
      <h1 className="login-title">{t("accept_title")}</h1>
      <p className="hint">{t("accept_text")}</p>
      {given === "" && (
        <TextField
          {...{ label: t("code"), value: code, onChange: setCode, required: true }}
          {...{ placeholder: "inv_…", autoComplete: "off", autoFocus: true }}
        />
      )}
      <TextField
        {...{ label: t("user"), value: username, onChange: setUsername, required: true }}
        {...{ autoComplete: "username", autoFocus: given !== "" }}
        error={isOfName ? error.message : undefined}
      />
      <TextField
        {...secret}
        {...{ label: t("password"), value: password, onChange: setPassword }}
      />
      <TextField
        {...secret}
        {...{ label: t("repeat"), value: repeated, onChange: setRepeated }}
        error={differs ? t("no_match") : undefined}
      />
      {error !== null && !isOfName && <Refusal title={t("accept_failed")} text={error.message} />}
      <Button kind="primary" submits isBusy={accept.isPending} disabled={differs}>
        {t("accept")}
      </Button>
      <button type="button" className="link" onClick={onLeave}>
        {t("leave")}
      </button>
    </form>
  );
}

import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { LoginAnswer, type MeAnswer } from "../../../wire/login.ts";
import { askWhoIAm } from "../../api/account.ts";
import { call } from "../../api/call.ts";
import { LanguageSwitch, Logo } from "../../app/navigation.tsx";
import { Button } from "../../parts/button.tsx";
import { TextField } from "../../parts/field.tsx";
import { useTexts } from "../../text/i18n.ts";
import { loginTexts } from "./texts.ts";

/** Logging in, and choosing a password in place of the first one. */
export function LoginScreen({ me, isAgain = false }: { me: MeAnswer; isAgain?: boolean }) {
  const t = useTexts(loginTexts);
  const mustChange = me.access === "required" && me.must_change_password;
  const hasOidc = me.access === "required" && me.oidc;
  return (
    <main className="login">
      <div className="login-box">
        <Logo />
        {isAgain && <p className="note is-warn">{t("again")}</p>}
        {mustChange ? <NewPassword /> : <LoginForm />}
        {hasOidc && !mustChange && (
          <a className="button is-plain" href="/api/auth/oidc/login">
            {t("oidc")}
          </a>
        )}
        <LanguageSwitch />
      </div>
    </main>
  );
}

function LoginForm() {
  const t = useTexts(loginTexts);
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const logIn = useMutation({
    mutationFn: () => call(LoginAnswer, "POST /api/auth/login", { body: { username, password } }),
    onSuccess: askWhoIAm,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    logIn.mutate();
  };
  return (
    <form className="form" onSubmit={submit}>
      <TextField
        {...{ label: t("user"), value: username, onChange: setUsername }}
        {...{ autoComplete: "username", required: true, autoFocus: true }}
      />
      <TextField
        {...{ label: t("password"), value: password, onChange: setPassword, type: "password" }}
        {...{ autoComplete: "current-password", required: true }}
      />
      {logIn.isError && <Refusal title={t("failed")} text={logIn.error.message} />}
      <Button kind="primary" submits isBusy={logIn.isPending}>
        {t("log_in")}
      </Button>
    </form>
  );
}

function NewPassword() {
  const t = useTexts(loginTexts);
  const [next, setNext] = useState("");
  const [repeated, setRepeated] = useState("");
  const differs = repeated !== "" && repeated !== next;
  const change = useMutation({
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

function Refusal({ title, text }: { title: string; text: string }) {
  return (
    <div className="note is-bad" role="alert">
      <strong>{title}</strong> {text}
    </div>
  );
}

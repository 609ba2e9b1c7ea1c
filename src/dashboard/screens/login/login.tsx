import { type FormEvent, useEffect, useState } from "react";
import { LoginAnswer, type MeAnswer } from "../../../wire/login.ts";
import { askWhoIAm } from "../../api/account.ts";
import { call } from "../../api/call.ts";
import { useSubmission } from "../../api/submission.ts";
import { forgetInvitation, invitationInAddress } from "../../app/invitationlink.ts";
import { LanguageSwitch, Logo } from "../../app/navigation.tsx";
import { Button } from "../../parts/button.tsx";
import { TextField } from "../../parts/field.tsx";
import { Refusal } from "../../parts/form.tsx";
import { useTexts } from "../../text/i18n.ts";
import { forgetLoginFailure, loginFailure } from "./failure.ts";
import { AcceptInvitation } from "./invitation.tsx";
import { NewPassword } from "./newpassword.tsx";
import { loginTexts } from "./texts.ts";

/** Logging in, choosing a password in place of the first one, and accepting an invitation. */
export function LoginScreen({ me, isAgain = false }: { me: MeAnswer; isAgain?: boolean }) {
  const t = useTexts(loginTexts);
  const mustChange = me.access === "required" && me.must_change_password;
  const hasOidc = me.access === "required" && me.oidc;
  const [code, setCode] = useState(() => (isAgain ? undefined : invitationInAddress()));
  const [failure] = useState(loginFailure);
  useEffect(forgetLoginFailure, []);
  const leaveInvitation = () => {
    forgetInvitation();
    setCode(undefined);
  };
  return (
    <main className="login">
      <div className="login-box">
        <Logo />
        {isAgain && <p className="note is-warn">{t("again")}</p>}
        {failure !== undefined && <Refusal title={t("failed")} text={failure} />}
        {mustChange ? (
          <NewPassword />
        ) : code !== undefined ? (
          <AcceptInvitation code={code} onLeave={leaveInvitation} />
        ) : (
          <>
            <LoginForm />
            {hasOidc && <OidcLink isAgain={isAgain} />}
            {!isAgain && (
              <button type="button" className="link" onClick={() => setCode("")}>
                {t("invited")}
              </button>
            )}
          </>
        )}
        <LanguageSwitch />
      </div>
    </main>
  );
}

/** Logging in elsewhere; in a tab of its own where what is on this page shall stay. */
function OidcLink({ isAgain }: { isAgain: boolean }) {
  const t = useTexts(loginTexts);
  useEffect(() => {
    if (!isAgain) return undefined;
    const look = () => void askWhoIAm();
    window.addEventListener("focus", look);
    return () => window.removeEventListener("focus", look);
  }, [isAgain]);
  const apart = isAgain ? { target: "_blank", rel: "noopener" } : {};
  return (
    <a className="button is-plain" href="/api/auth/oidc/login" {...apart}>
      {t("oidc")}
    </a>
  );
}

function LoginForm() {
  const t = useTexts(loginTexts);
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const logIn = useSubmission({
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

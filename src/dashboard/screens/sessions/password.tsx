import { type FormEvent, useState } from "react";
import { CallError } from "../../api/call.ts";
import { useSubmission } from "../../api/submission.ts";
import { Window } from "../../parts/dialog.tsx";
import { TextField } from "../../parts/field.tsx";
import { FormEnd, Refusal } from "../../parts/form.tsx";
import { sayDone } from "../../parts/toast.tsx";
import { useTexts } from "../../text/i18n.ts";
import { changePassword } from "./calls.ts";
import { sessionsTexts } from "./texts.ts";

interface PasswordProps {
  isOpen: boolean;
  onClose(): void;
}

/** Changes the reader's own password. */
export function PasswordWindow({ isOpen, onClose }: PasswordProps) {
  const t = useTexts(sessionsTexts);
  return (
    <Window title={t("password")} isOpen={isOpen} onClose={onClose}>
      <Form onClose={onClose} />
    </Window>
  );
}

function Form({ onClose }: Pick<PasswordProps, "onClose">) {
  const t = useTexts(sessionsTexts);
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [repeated, setRepeated] = useState("");
  const change = useSubmission({
    mutationFn: () => changePassword(current, next),
    onSuccess: () => {
      sayDone(t("password_changed"), t("password_changed_text"));
      onClose();
    },
  });
  const differs = repeated !== "" && repeated !== next;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (next === repeated) change.mutate();
  };
  const { error } = change;
  const param = error instanceof CallError ? error.param : undefined;
  const isOfCurrent = param === "current_password";
  const common = { type: "password", required: true };
  return (
    <form className="form" onSubmit={submit}>
      <p className="hint">{t("password_text")}</p>
      <TextField
        {...common}
        {...{ label: t("password_current"), value: current, onChange: setCurrent }}
        {...{ autoComplete: "current-password", autoFocus: true }}
        error={isOfCurrent ? error?.message : undefined}
      />
      <TextField
        {...common}
        {...{ label: t("password_new"), value: next, onChange: setNext }}
        autoComplete="new-password"
      />
      <TextField
        {...common}
        {...{ label: t("password_repeat"), value: repeated, onChange: setRepeated }}
        autoComplete="new-password"
        error={differs ? t("password_differs") : undefined}
      />
      {error !== null && !isOfCurrent && (
        <Refusal title={t("password_failed")} text={error.message} />
      )}
      <FormEnd
        onLeave={onClose}
        action={t("password_save")}
        isBusy={change.isPending}
        disabled={differs}
      />
    </form>
  );
}

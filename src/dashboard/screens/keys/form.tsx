import { type FormEvent, useState } from "react";
import type { MadeKeyAnswer } from "../../../wire/account.ts";
import { useSubmission } from "../../api/submission.ts";
import { Window } from "../../parts/dialog.tsx";
import { Choice, TextField } from "../../parts/field.tsx";
import { FormEnd, Refusal } from "../../parts/form.tsx";
import { LimitFields, limitDraft, limitsOf } from "../../parts/limits/limits.tsx";
import { useTexts } from "../../text/i18n.ts";
import { makeKey } from "./calls.ts";
import { keysTexts } from "./texts.ts";

interface FormProps {
  isOpen: boolean;
  onClose(): void;
  onMade(made: MadeKeyAnswer): void;
}

/** Makes a key. */
export function KeyForm({ isOpen, onClose, onMade }: FormProps) {
  const t = useTexts(keysTexts);
  return (
    <Window title={t("add")} isOpen={isOpen} onClose={onClose}>
      <Form onClose={onClose} onMade={onMade} />
    </Window>
  );
}

const DAYS = ["30", "90", "365", "never"] as const;
const DAY_MS = 86_400_000;

interface Draft {
  name: string;
  expires: (typeof DAYS)[number];
  models: string;
}

const EMPTY: Draft = { name: "", expires: "90", models: "" };

function Form({ onClose, onMade }: Omit<FormProps, "isOpen">) {
  const t = useTexts(keysTexts);
  const [draft, setDraft] = useState(EMPTY);
  const [limits, setLimits] = useState(() => limitDraft());
  const set = (name: keyof Draft) => (value: string) => setDraft({ ...draft, [name]: value });
  const make = useSubmission({
    mutationFn: () => makeKey({ ...bodyOf(draft), limits: limitsOf(limits) }),
    onSuccess: onMade,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  const expiries = DAYS.map((days) => {
    const text = days === "never" ? t("expires_never") : t("expires_days", { days });
    return { value: days, text };
  });
  return (
    <form className="form" onSubmit={submit}>
      <TextField
        {...{ label: t("name"), hint: t("name_hint"), value: draft.name, onChange: set("name") }}
        {...{ required: true, autoFocus: true }}
      />
      <Choice
        {...{ label: t("expires"), value: draft.expires, options: expiries }}
        {...(draft.expires === "never" && { hint: t("expires_hint") })}
        onChange={set("expires")}
      />
      <TextField
        {...{ label: t("models"), hint: t("models_hint"), value: draft.models }}
        onChange={set("models")}
      />
      <LimitFields draft={limits} onChange={setLimits} />
      {make.isError && <Refusal title={t("add_failed")} text={make.error.message} />}
      <FormEnd onLeave={onClose} action={t("add")} isBusy={make.isPending} />
    </form>
  );
}

function bodyOf({ name, expires, models }: Draft): object {
  const patterns = models
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
  const endsAt = expires === "never" ? null : Date.now() + Number(expires) * DAY_MS;
  return {
    name,
    ...(patterns.length > 0 && { models: patterns }),
    expires_at: endsAt === null ? null : new Date(endsAt).toISOString(),
  };
}

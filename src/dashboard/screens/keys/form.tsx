import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { MadeKeyAnswer } from "../../../wire/account.ts";
import { Button } from "../../parts/button.tsx";
import { Window } from "../../parts/dialog.tsx";
import { Choice, TextField } from "../../parts/field.tsx";
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
  requests: string;
  tokens: string;
}

const EMPTY: Draft = { name: "", expires: "90", models: "", requests: "", tokens: "" };

function Form({ onClose, onMade }: Omit<FormProps, "isOpen">) {
  const t = useTexts(keysTexts);
  const [draft, setDraft] = useState(EMPTY);
  const set = (name: keyof Draft) => (value: string) => setDraft({ ...draft, [name]: value });
  const make = useMutation({ mutationFn: () => makeKey(bodyOf(draft)), onSuccess: onMade });
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
      <TextField
        {...{ label: t("limit_minute"), hint: t("limit_hint"), value: draft.requests }}
        {...{ onChange: set("requests"), inputMode: "numeric", pattern: "[0-9]*" }}
      />
      <TextField
        {...{ label: t("limit_day"), hint: t("limit_hint"), value: draft.tokens }}
        {...{ onChange: set("tokens"), inputMode: "numeric", pattern: "[0-9]*" }}
      />
      {make.isError && (
        <div className="note is-bad" role="alert">
          <strong>{t("add_failed")}</strong> {make.error.message}
        </div>
      )}
      <div className="row is-end">
        <Button onClick={onClose}>{t("cancel")}</Button>
        <Button kind="primary" submits isBusy={make.isPending}>
          {t("add")}
        </Button>
      </div>
    </form>
  );
}

function bodyOf({ name, expires, models, requests, tokens }: Draft): object {
  const patterns = models
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
  const endsAt = expires === "never" ? null : Date.now() + Number(expires) * DAY_MS;
  return {
    name,
    ...(patterns.length > 0 && { models: patterns }),
    limits: {
      ...countField("requests_per_minute", requests),
      ...countField("tokens_per_day", tokens),
    },
    expires_at: endsAt === null ? null : new Date(endsAt).toISOString(),
  };
}

function countField(name: string, text: string): object {
  return text.trim() === "" ? {} : { [name]: Number(text) };
}

import { useCallback } from "react";
import type { Limits } from "../../../wire/limits.ts";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { numberIn } from "../../text/number.ts";
import { Choice, TextField } from "../field.tsx";
import { limitsTexts } from "./texts.ts";

/** Limits as they are typed; empty: none. */
export type LimitDraft = Record<keyof Limits, string>;

const NUMBERS = [
  ...(["requests_per_minute", "tokens_per_minute", "concurrent_requests"] as const),
  ...(["tokens_per_day", "tokens_per_month", "cost_per_day", "cost_per_month"] as const),
] satisfies readonly (keyof Limits)[];

const NAMES = [...NUMBERS, "priority"] as const satisfies readonly (keyof Limits)[];
const PRIORITIES = ["", "high", "low"] as const;

/** What stands in the fields for limits; without any, nothing does. */
export function limitDraft(limits?: Limits): LimitDraft {
  const text = (name: keyof Limits) => [name, String(limits?.[name] ?? "")] as const;
  const { priority, ...draft } = Object.fromEntries(NAMES.map(text)) as LimitDraft;
  return { ...draft, priority: priority === "normal" ? "" : priority };
}

/** The limits of a draft. */
export function limitsOf(draft: LimitDraft): object {
  const entries = NUMBERS.map((name) => [name, numberIn(draft[name])] as const);
  return { ...Object.fromEntries(entries), priority: draft.priority || null };
}

interface LimitFieldsProps {
  draft: LimitDraft;
  onChange(draft: LimitDraft): void;
  /** The field that the server refused, and why. */
  fault?: { param: string | undefined; message: string } | undefined;
}

/** A field for each limit, folded away unless one is set. */
export function LimitFields({ draft, onChange, fault }: LimitFieldsProps) {
  const t = useTexts(limitsTexts);
  const set = (name: keyof Limits) => (value: string) => onChange({ ...draft, [name]: value });
  const isSet = NAMES.some((name) => draft[name] !== "");
  const faultOf = (name: keyof Limits) =>
    fault?.param === `limits.${name}` ? fault.message : undefined;
  return (
    <details className="fold" open={isSet || undefined}>
      <summary>{t("title")}</summary>
      <p className="hint">{t("hint")}</p>
      <div className="field-grid">
        {NUMBERS.map((name) => (
          <TextField
            key={name}
            {...{ label: t(name), value: draft[name], onChange: set(name) }}
            {...{ inputMode: "decimal", error: faultOf(name) }}
          />
        ))}
        <Choice
          {...{ label: t("priority"), value: draft.priority, onChange: set("priority") }}
          options={PRIORITIES.map((value) => ({
            value: value as string,
            text: t(`priority_${value}`),
          }))}
        />
      </div>
    </details>
  );
}

/** Writes limits in a line. */
export function useLimitsText(): (limits: Limits) => string {
  const t = useTexts(limitsTexts);
  const { count, money } = useFormat();
  const textOf = (limits: Limits) => {
    const texts = NAMES.flatMap((name) => {
      const value = limits[name];
      if (value === null || value === "normal") return [];
      const number = name.startsWith("cost") ? money : count;
      return [t(`short_${name}`, { value: typeof value === "number" ? number(value) : value })];
    });
    return texts.length === 0 ? t("none") : texts.join(", ");
  };
  return useCallback(textOf, [t, count, money]);
}

import { useState } from "react";
import { useMay } from "../../api/account.ts";
import type { ListedModel } from "../../api/models.ts";
import { Button } from "../../parts/button.tsx";
import { Choice, TextArea, TextField } from "../../parts/field.tsx";
import { useTexts } from "../../text/i18n.ts";
import { type Conversation, SETTINGS, type Settings, type SettingsEditor } from "./conversation.ts";
import { FormatFields } from "./format.tsx";
import { Targets } from "./targets.tsx";
import { playgroundTexts } from "./texts.ts";
import { ToolFields } from "./tools.tsx";

interface SettingsProps {
  conversation: Conversation;
  models: readonly ListedModel[];
  change(changes: Partial<Pick<Conversation, "targets" | "settings">>): void;
}

const EFFORTS = ["", "none", "minimal", "low", "medium", "high"];

/** Who is asked, and how. */
export function BenchSettings({ conversation, models, change }: SettingsProps) {
  const t = useTexts(playgroundTexts);
  const may = useMay();
  const { targets, settings } = conversation;
  const set = (changes: Partial<Settings>) => change({ settings: { ...settings, ...changes } });
  return (
    <aside className="bench-settings form" aria-label={t("settings")}>
      <Targets
        {...{ targets, models, mayPin: may("endpoints.read") }}
        onChange={(changed) => change({ targets: changed })}
      />
      <TextArea
        {...{ label: t("system"), value: settings.system, rows: 4, isProse: true }}
        onChange={(system) => set({ system })}
      />
      <ToolFields settings={settings} set={set} />
      <FormatFields settings={settings} set={set} />
      <Parameters settings={settings} set={set} />
    </aside>
  );
}

const NUMBERS = [
  ["temperature", "temperature", "0.7"],
  ["topP", "top_p", "0.95"],
  ["maxTokens", "max_tokens", "512"],
  ["seed", "seed", "42"],
  ["presencePenalty", "presence_penalty", "0"],
  ["frequencyPenalty", "frequency_penalty", "0"],
] as const;

function Parameters({ settings, set }: SettingsEditor) {
  const t = useTexts(playgroundTexts);
  const fields = [...NUMBERS.map(([field]) => field), "stop", "reasoningEffort"] as const;
  const isChanged = fields.some((field) => settings[field] !== "");
  const [isOpen] = useState(isChanged);
  return (
    <details className="fold" open={isOpen}>
      <summary>{t("parameters")}</summary>
      <p className="hint">{t("parameters_text")}</p>
      <div className="bench-numbers">
        {NUMBERS.map(([field, text, example]) => (
          <TextField
            key={field}
            {...{ label: t(text), value: settings[field], inputMode: "decimal" }}
            placeholder={example}
            onChange={(value) => set({ [field]: value })}
          />
        ))}
      </div>
      <TextArea
        {...{ label: t("stop_at"), value: settings.stop, hint: t("stop_at_hint"), rows: 2 }}
        onChange={(stop) => set({ stop })}
      />
      <Choice
        {...{ label: t("effort"), value: settings.reasoningEffort }}
        options={EFFORTS.map((value) => ({ value, text: value === "" ? t("by_model") : value }))}
        onChange={(reasoningEffort) => set({ reasoningEffort })}
      />
      <Button
        icon="refresh"
        disabled={!isChanged}
        onClick={() =>
          set(
            Object.fromEntries(
              fields.map((field) => [field, SETTINGS[field]]),
            ) as Partial<Settings>,
          )
        }
      >
        {t("reset")}
      </Button>
    </details>
  );
}

import { type FormEvent, useState } from "react";
import { flushSync } from "react-dom";
import type { RegisteredDetail } from "../../../wire/registry.ts";
import type { RunSettings } from "../../../wire/runsettings.ts";
import { useSubmission } from "../../api/submission.ts";
import { Button } from "../../parts/button.tsx";
import { Window } from "../../parts/dialog.tsx";
import { Choice, TextArea, TextField } from "../../parts/field.tsx";
import { FormEnd, focusFault } from "../../parts/form.tsx";
import { Panel } from "../../parts/page.tsx";
import { sayDone } from "../../parts/toast.tsx";
import { useTexts } from "../../text/i18n.ts";
import { changeModel } from "./calls.ts";
import { COMMON, changeOf, draftOf, fieldOf, type SettingsDraft } from "./settingsdraft.ts";
import { modelSettingsTexts } from "./settingstexts.ts";

/** How a model runs, where that is not left to llmlb. */
export function SettingsPanel(props: { settings: RunSettings | null; onEdit?: () => void }) {
  const { settings, onEdit } = props;
  const t = useTexts(modelSettingsTexts);
  const draft = draftOf(settings);
  const edit = onEdit !== undefined && (
    <Button icon="pencil" onClick={onEdit}>
      {t("settings_edit")}
    </Button>
  );
  const set = COMMON.filter((name) => draft[name] !== "");
  return (
    <Panel title={t("settings")} actions={edit}>
      {settings === null ? (
        <p className="well">{t("settings_none")}</p>
      ) : (
        <dl className="facts">
          {set.map((name) => (
            <div key={name}>
              <dt>{t(`set_${name}`)}</dt>
              <dd>{draft[name]}</dd>
            </div>
          ))}
          {draft.more !== "" && (
            <div>
              <dt>{t("set_more")}</dt>
              <dd className="mono setting-lines">{draft.more}</dd>
            </div>
          )}
        </dl>
      )}
    </Panel>
  );
}

interface WindowProps {
  isOpen: boolean;
  onClose(): void;
  detail: RegisteredDetail;
}

/** Changes how a model runs. */
export function SettingsWindow({ isOpen, onClose, detail }: WindowProps) {
  const t = useTexts(modelSettingsTexts);
  return (
    <Window title={t("settings_edit")} isOpen={isOpen} onClose={onClose}>
      <Form onClose={onClose} detail={detail} />
    </Window>
  );
}

/** What is chosen from a list, with what the list has besides "as llmlb does it". */
const CHOICES: Partial<Record<keyof SettingsDraft, readonly string[]>> = {
  flash_attn: ["on", "off", "auto"],
  cache_type_k: ["f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl", "f32"],
  cache_type_v: ["f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl", "f32"],
  pin: ["true", "false"],
};

type Faults = Partial<Record<keyof SettingsDraft, string>>;

function Form({ onClose, detail }: Omit<WindowProps, "isOpen">) {
  const t = useTexts(modelSettingsTexts);
  const { id, settings: before } = detail;
  const [draft, setDraft] = useState(() => draftOf(before));
  const [faults, setFaults] = useState<Faults>({});
  const save = useSubmission({
    mutationFn: (settings: object) => changeModel(id, { settings }),
    onSuccess: () => {
      sayDone(t("settings_saved", { name: id }), t("settings_saved_text"));
      onClose();
    },
    onError: ({ message }) => setFaults({ [fieldOf(message)]: message }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const change = changeOf(draft, before);
    // What is wrong is marked before the first of it is looked for.
    flushSync(() => setFaults("faults" in change ? change.faults : {}));
    if ("settings" in change) save.mutate(change.settings);
    else focusFault(event.currentTarget);
  };
  const set = (name: keyof SettingsDraft) => (value: string) => {
    setDraft({ ...draft, [name]: value });
    setFaults({ ...faults, [name]: undefined });
  };
  return (
    <form className="form" onSubmit={submit} noValidate>
      <p className="muted">{t("settings_text")}</p>
      <div className="field-grid">
        {COMMON.map((name) => {
          const own = { label: t(`set_${name}`), value: draft[name], onChange: set(name) };
          const options = CHOICES[name];
          const about = { hint: t(`set_${name}_hint`), error: faults[name] };
          if (options === undefined) {
            return <TextField key={name} {...own} {...about} autoComplete="off" />;
          }
          const shown = ["", ...options].map((value) => ({
            value,
            text:
              value === ""
                ? t("set_default")
                : name === "pin"
                  ? t(`pin_${value === "true" ? "yes" : "no"}`)
                  : value,
          }));
          return <Choice key={name} {...own} {...about} options={shown} />;
        })}
      </div>
      <TextArea
        {...{ label: t("set_more"), value: draft.more, onChange: set("more"), rows: 4 }}
        {...{ hint: t("set_more_hint"), error: faults.more }}
      />
      <FormEnd onLeave={onClose} action={t("save")} isBusy={save.isPending} />
    </form>
  );
}

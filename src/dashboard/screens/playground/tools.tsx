import { useState } from "react";
import { Button, IconButton } from "../../parts/button.tsx";
import { Window } from "../../parts/dialog.tsx";
import { Choice, TextArea, TextField } from "../../parts/field.tsx";
import { FormEnd } from "../../parts/form.tsx";
import { useTexts } from "../../text/i18n.ts";
import { indentedJson } from "../../text/json.ts";
import type { SettingsEditor, Tool } from "./conversation.ts";
import { useSchemaFault } from "./schemafault.ts";
import { playgroundTexts } from "./texts.ts";

/** As OpenAI has it: https://platform.openai.com/docs/api-reference/chat/create, `tools`. */
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

const EXAMPLE: Tool = {
  name: "get_weather",
  description: "The weather of a city",
  parameters: `{
  "type": "object",
  "properties": {
    "city": { "type": "string" }
  },
  "required": ["city"]
}`,
  result: '{"temperature_c": 21, "sky": "clear"}',
};

/** The tools that a model may call, and whether it must. */
export function ToolFields({ settings, set }: SettingsEditor) {
  const t = useTexts(playgroundTexts);
  /** The place of the tool that is edited; that of no tool yet is a new one's. */
  const [edited, setEdited] = useState<number>();
  const { tools, toolChoice } = settings;
  const close = () => setEdited(undefined);
  const tool = edited === undefined ? undefined : tools[edited];
  return (
    <div className="field">
      <span className="field-label">{t("tools")}</span>
      {tools.map(({ name }, i) => (
        <div key={name} className="bench-tool">
          <button type="button" className="link cut" onClick={() => setEdited(i)}>
            {name}
          </button>
          <IconButton
            icon="close"
            label={t("remove", { name })}
            onClick={() => set({ tools: tools.filter((_, at) => at !== i) })}
          />
        </div>
      ))}
      <Button icon="plus" onClick={() => setEdited(tools.length)}>
        {t("tool_add")}
      </Button>
      {tools.length > 0 && (
        <Choice
          {...{ label: t("tool_choice"), value: toolChoice }}
          options={[
            ...(["auto", "none", "required"] as const).map((value) => ({
              ...{ value: value as string, text: t(`tool_choice_${value}`) },
            })),
            ...tools.map(({ name }) => ({ value: `tool:${name}`, text: name })),
          ]}
          onChange={(value) => set({ toolChoice: value })}
        />
      )}
      <Window
        title={tool === undefined ? t("tool_add") : t("tool_edit")}
        isOpen={edited !== undefined}
        onClose={close}
      >
        <ToolForm
          tool={tool ?? (tools.length === 0 ? EXAMPLE : { ...EXAMPLE, name: "", description: "" })}
          taken={tools.filter((_, i) => i !== edited).map(({ name }) => name)}
          onClose={close}
          onSave={(saved) => {
            set({ tools: tool === undefined ? [...tools, saved] : tools.with(edited ?? 0, saved) });
            close();
          }}
        />
      </Window>
    </div>
  );
}

interface ToolFormProps {
  tool: Tool;
  /** Names of the other tools. */
  taken: readonly string[];
  onSave(tool: Tool): void;
  onClose(): void;
}

function ToolForm({ taken, onSave, onClose, ...props }: ToolFormProps) {
  const t = useTexts(playgroundTexts);
  const [tool, setTool] = useState(props.tool);
  const set = (changes: Partial<Tool>) => setTool((now) => ({ ...now, ...changes }));
  const schemaError = useSchemaFault(tool.parameters);
  const nameError = !NAME.test(tool.name)
    ? t("tool_name_wrong")
    : taken.includes(tool.name)
      ? t("tool_name_taken")
      : undefined;
  const isWrong = nameError !== undefined || schemaError !== undefined;
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        const parameters = indentedJson(tool.parameters) ?? tool.parameters;
        if (!isWrong) onSave({ ...tool, parameters });
      }}
    >
      <TextField
        {...{ label: t("tool_name"), value: tool.name }}
        error={tool.name === "" ? undefined : nameError}
        onChange={(name) => set({ name })}
      />
      <TextField
        {...{ label: t("tool_description"), value: tool.description }}
        onChange={(description) => set({ description })}
      />
      <TextArea
        {...{ label: t("tool_parameters"), value: tool.parameters, error: schemaError }}
        {...{ hint: t("schema_hint"), rows: 10 }}
        onChange={(parameters) => set({ parameters })}
      />
      <TextArea
        {...{ label: t("tool_result"), value: tool.result, hint: t("tool_result_hint") }}
        {...{ rows: 2 }}
        onChange={(result) => set({ result })}
      />
      <FormEnd {...{ onLeave: onClose, action: t("save"), isBusy: false, disabled: isWrong }} />
    </form>
  );
}

import { useState } from "react";
import { Button } from "../../parts/button.tsx";
import { Window } from "../../parts/dialog.tsx";
import { Choice, TextArea } from "../../parts/field.tsx";
import { FormEnd } from "../../parts/form.tsx";
import { useTexts } from "../../text/i18n.ts";
import { indentedJson } from "../../text/json.ts";
import { ANSWER_FORMATS, type SettingsEditor } from "./conversation.ts";
import { useSchemaFault } from "./schemafault.ts";
import { playgroundTexts } from "./texts.ts";

const EXAMPLE = `{
  "type": "object",
  "properties": {
    "answer": { "type": "string" },
    "confidence": { "type": "number" }
  },
  "required": ["answer", "confidence"],
  "additionalProperties": false
}`;

/** Whether answers are text, JSON, or JSON of a schema. */
export function FormatFields({ settings, set }: SettingsEditor) {
  const t = useTexts(playgroundTexts);
  const [isOpen, setOpen] = useState(false);
  const { format, schema } = settings;
  return (
    <>
      <Choice
        {...{ label: t("format"), value: format }}
        options={ANSWER_FORMATS.map((value) => ({ value, text: t(`format_${value}`) }))}
        onChange={(value) => {
          if (value === "schema" && schema === "") setOpen(true);
          else set({ format: value });
        }}
      />
      {format === "schema" && <Button onClick={() => setOpen(true)}>{t("schema_edit")}</Button>}
      <Window title={t("schema_title")} isOpen={isOpen} onClose={() => setOpen(false)}>
        <SchemaForm
          schema={schema === "" ? EXAMPLE : schema}
          onClose={() => setOpen(false)}
          onSave={(changed) => {
            set({ format: "schema", schema: changed });
            setOpen(false);
          }}
        />
      </Window>
    </>
  );
}

function SchemaForm(props: { schema: string; onSave(schema: string): void; onClose(): void }) {
  const { onSave, onClose } = props;
  const t = useTexts(playgroundTexts);
  const [text, setText] = useState(props.schema);
  const error = useSchemaFault(text);
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (error === undefined) onSave(indentedJson(text) ?? text);
      }}
    >
      <TextArea
        {...{ label: t("schema"), value: text, error, rows: 14 }}
        hint={t("schema_hint")}
        onChange={setText}
      />
      <FormEnd
        {...{ onLeave: onClose, action: t("save"), isBusy: false, disabled: error !== undefined }}
      />
    </form>
  );
}

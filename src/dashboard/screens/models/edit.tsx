import { type FormEvent, useState } from "react";
import type { RegisteredDetail } from "../../../wire/registry.ts";
import { CallError } from "../../api/call.ts";
import { useSubmission } from "../../api/submission.ts";
import { Window } from "../../parts/dialog.tsx";
import { TextField } from "../../parts/field.tsx";
import { FormEnd, Refusal } from "../../parts/form.tsx";
import { sayDone } from "../../parts/toast.tsx";
import { useTexts } from "../../text/i18n.ts";
import { numberIn } from "../../text/number.ts";
import { changeModel } from "./calls.ts";
import { modelsTexts } from "./texts.ts";

interface WindowProps {
  isOpen: boolean;
  onClose(): void;
  detail: RegisteredDetail;
}

/** Changes what a model is called here, and which nodes shall have it. */
export function EditWindow({ isOpen, onClose, detail }: WindowProps) {
  const t = useTexts(modelsTexts);
  return (
    <Window title={t("edit")} isOpen={isOpen} onClose={onClose}>
      <Form onClose={onClose} detail={detail} />
    </Window>
  );
}

const FIELDS = ["display_name", "nodes", "replicas"] as const;
type Draft = Record<(typeof FIELDS)[number], string>;

function Form({ onClose, detail }: Omit<WindowProps, "isOpen">) {
  const t = useTexts(modelsTexts);
  const { id, display_name, nodes, replicas } = detail;
  const [draft, setDraft] = useState<Draft>({
    display_name: display_name ?? "",
    nodes: (nodes ?? []).join(", "),
    replicas: replicas === null ? "" : String(replicas),
  });
  const save = useSubmission({
    mutationFn: () => changeModel(id, bodyOf(draft)),
    onSuccess: () => {
      sayDone(t("edited", { name: id }));
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const { error } = save;
  const param = error instanceof CallError ? error.param?.split(".")[0] : undefined;
  const isShown = FIELDS.some((name) => name === param);
  return (
    <form className="form" onSubmit={submit}>
      {FIELDS.map((name) => (
        <TextField
          key={name}
          {...{ label: t(`edit_${name}`), value: draft[name], autoComplete: "off" }}
          {...{ hint: t(`edit_${name}_hint`), error: param === name ? error?.message : undefined }}
          onChange={(value) => setDraft({ ...draft, [name]: value })}
        />
      ))}
      {error !== null && !isShown && <Refusal title={t("edit_failed")} text={error.message} />}
      <FormEnd onLeave={onClose} action={t("save")} isBusy={save.isPending} />
    </form>
  );
}

/** What is empty is taken back. */
function bodyOf({ display_name, nodes, replicas }: Draft): object {
  const names = nodes.split(",").flatMap((one) => one.trim() || []);
  return {
    display_name: display_name.trim() === "" ? null : display_name.trim(),
    nodes: names.length === 0 ? null : names,
    replicas: numberIn(replicas),
  };
}

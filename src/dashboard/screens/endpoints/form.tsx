import { type FormEvent, useState } from "react";
import { EndpointDetail, type EndpointView } from "../../../wire/endpoint.ts";
import { CallError, call, faultOf } from "../../api/call.ts";
import { useSubmission } from "../../api/submission.ts";
import { Window } from "../../parts/dialog.tsx";
import { TextField } from "../../parts/field.tsx";
import { FormEnd, Refusal } from "../../parts/form.tsx";
import { sayDone } from "../../parts/toast.tsx";
import { useTexts } from "../../text/i18n.ts";
import { numberIn } from "../../text/number.ts";
import { pathOf, reloadEndpoints } from "./actions.tsx";
import { endpointsTexts } from "./texts.ts";

interface FormProps {
  isOpen: boolean;
  onClose(): void;
  /** The one to be changed; without it a new one is added. */
  endpoint?: EndpointView;
}

/** Adds an endpoint by name, address and key, or changes one. */
export function EndpointForm({ isOpen, onClose, endpoint }: FormProps) {
  const t = useTexts(endpointsTexts);
  return (
    <Window title={endpoint === undefined ? t("add") : t("edit")} isOpen={isOpen} onClose={onClose}>
      <Form onClose={onClose} {...(endpoint && { endpoint })} />
    </Window>
  );
}

interface Draft {
  name: string;
  base_url: string;
  api_key: string;
  slots: string;
  notes: string;
}

function Form({ onClose, endpoint }: Pick<FormProps, "onClose" | "endpoint">) {
  const t = useTexts(endpointsTexts);
  const [draft, setDraft] = useState<Draft>(() => draftOf(endpoint));
  const set = (name: keyof Draft) => (value: string) => setDraft({ ...draft, [name]: value });
  const isNew = endpoint === undefined;
  const save = useSubmission({
    mutationFn: () =>
      isNew
        ? call(EndpointDetail, "POST /api/endpoints", { body: bodyOf(draft, true) })
        : call(EndpointDetail, `PATCH ${pathOf(endpoint.id)}`, { body: bodyOf(draft, false) }),
    onSuccess: async ({ name }) => {
      await reloadEndpoints();
      if (isNew) sayDone(t("added", { name }), t("added_text"));
      else sayDone(t("saved", { name }));
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const { error } = save;
  const isFaultShown = error instanceof CallError && Object.keys(draft).includes(error.param ?? "");
  return (
    <form className="form" onSubmit={submit}>
      <TextField
        {...{ label: t("name"), value: draft.name, onChange: set("name"), required: true }}
        {...{ hint: t("name_hint"), error: faultOf(error, "name"), autoFocus: true }}
      />
      <TextField
        {...{ label: t("url"), value: draft.base_url, onChange: set("base_url"), required: true }}
        {...{ hint: t("url_hint"), error: faultOf(error, "base_url"), inputMode: "url" }}
      />
      <TextField
        {...{ label: t("api_key"), value: draft.api_key, onChange: set("api_key") }}
        {...{ hint: t("api_key_hint"), error: faultOf(error, "api_key") }}
        {...{ type: "password", autoComplete: "off" }}
        placeholder={endpoint?.has_api_key ? "••••••••" : ""}
      />
      {!isNew && (
        <>
          <TextField
            {...{ label: t("slots"), value: draft.slots, onChange: set("slots") }}
            {...{ hint: t("slots_hint"), error: faultOf(error, "slots"), inputMode: "numeric" }}
          />
          <TextField
            {...{ label: t("notes"), value: draft.notes, onChange: set("notes") }}
            error={faultOf(error, "notes")}
          />
        </>
      )}
      {error !== null && !isFaultShown && (
        <Refusal title={isNew ? t("add_failed") : t("edit_failed")} text={error.message} />
      )}
      <FormEnd onLeave={onClose} action={isNew ? t("add") : t("save")} isBusy={save.isPending} />
    </form>
  );
}

function draftOf(endpoint: EndpointView | undefined): Draft {
  const { name = "", base_url = "", slots = null, notes = null } = endpoint ?? {};
  return {
    name,
    base_url,
    api_key: "",
    slots: slots === null ? "" : String(slots),
    notes: notes ?? "",
  };
}

/** What is sent: of an empty field nothing for a new one; of an old one that it is cleared. */
function bodyOf({ name, base_url, api_key, slots, notes }: Draft, isNew: boolean): object {
  const key = api_key === "" ? {} : { api_key };
  // People write gpu1:8080.
  const url = /^[a-z][a-z\d+.-]*:\/\//i.test(base_url.trim())
    ? base_url
    : `http://${base_url.trim()}`;
  if (isNew) return { name, base_url: url, ...key };
  return {
    ...{ name, base_url: url, ...key, notes: notes === "" ? null : notes },
    slots: numberIn(slots),
  };
}

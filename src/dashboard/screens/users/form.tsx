import { type FormEvent, useState } from "react";
import type { MadeUserAnswer, UserView } from "../../../wire/account.ts";
import type { Role } from "../../../wire/permission.ts";
import { CallError, faultOf } from "../../api/call.ts";
import { useSubmission } from "../../api/submission.ts";
import { Window } from "../../parts/dialog.tsx";
import { TextField } from "../../parts/field.tsx";
import { FormEnd, Refusal } from "../../parts/form.tsx";
import { LimitFields, limitDraft, limitsOf } from "../../parts/limits/limits.tsx";
import { RoleChoice } from "../../parts/role/role.tsx";
import { sayDone } from "../../parts/toast.tsx";
import { useTexts } from "../../text/i18n.ts";
import { addUser, changeUser } from "./calls.ts";
import { usersTexts } from "./texts.ts";

interface FormProps {
  isOpen: boolean;
  onClose(): void;
  onSaved(made: MadeUserAnswer): void;
  /** The one to be changed; without him a new one is added. */
  user?: UserView;
}

/** Adds a user, or changes one: his name, role and limits. */
export function UserForm({ isOpen, ...rest }: FormProps) {
  const t = useTexts(usersTexts);
  const title = rest.user === undefined ? t("add") : t("edit");
  return (
    <Window title={title} isOpen={isOpen} onClose={rest.onClose}>
      <Form {...rest} />
    </Window>
  );
}

const SHOWN = ["username", "password", "limits"];

function Form({ onClose, onSaved, user }: Omit<FormProps, "isOpen">) {
  const t = useTexts(usersTexts);
  const [username, setUsername] = useState(user?.username ?? "");
  const [role, setRole] = useState<Role>(user?.role ?? "viewer");
  const [password, setPassword] = useState("");
  const [limits, setLimits] = useState(() => limitDraft(user?.limits));
  const isNew = user === undefined;
  const save = useSubmission({
    mutationFn: () => {
      const body = { username, role, limits: limitsOf(limits) };
      if (!isNew) return changeUser(user.id, body);
      return addUser({ ...body, ...(password !== "" && { password }) });
    },
    onSuccess: (made) => {
      sayDone(isNew ? t("added", { name: username }) : t("saved", { name: username }));
      onClose();
      onSaved(made);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const { error } = save;
  const param = error instanceof CallError ? error.param : undefined;
  const isFaultShown = SHOWN.includes(param?.split(".")[0] ?? "");
  return (
    <form className="form" onSubmit={submit}>
      <TextField
        {...{ label: t("name"), value: username, onChange: setUsername, required: true }}
        {...{ error: faultOf(error, "username"), autoFocus: true, autoComplete: "off" }}
      />
      <RoleChoice value={role} onChange={setRole} />
      {isNew && (
        <TextField
          {...{ label: t("password_first"), value: password, onChange: setPassword }}
          {...{ hint: t("password_hint"), error: faultOf(error, "password"), autoComplete: "off" }}
        />
      )}
      <LimitFields
        {...{ draft: limits, onChange: setLimits }}
        fault={error === null ? undefined : { param, message: error.message }}
      />
      {error !== null && !isFaultShown && (
        <Refusal title={isNew ? t("add_failed") : t("edit_failed")} text={error.message} />
      )}
      <FormEnd onLeave={onClose} action={isNew ? t("add") : t("save")} isBusy={save.isPending} />
    </form>
  );
}

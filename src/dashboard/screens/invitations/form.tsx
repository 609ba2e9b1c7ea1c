import { type FormEvent, useState } from "react";
import type { MadeInvitationAnswer } from "../../../wire/invitation.ts";
import type { Role } from "../../../wire/permission.ts";
import { useSubmission } from "../../api/submission.ts";
import { Window } from "../../parts/dialog.tsx";
import { Choice, TextField } from "../../parts/field.tsx";
import { FormEnd, Refusal } from "../../parts/form.tsx";
import { RoleChoice } from "../../parts/role/role.tsx";
import { useTexts } from "../../text/i18n.ts";
import { makeInvitation } from "./calls.ts";
import { invitationsTexts } from "./texts.ts";

interface FormProps {
  isOpen: boolean;
  onClose(): void;
  onMade(made: MadeInvitationAnswer): void;
}

/** Invites somebody. */
export function InvitationForm({ isOpen, ...rest }: FormProps) {
  const t = useTexts(invitationsTexts);
  return (
    <Window title={t("add")} isOpen={isOpen} onClose={rest.onClose}>
      <Form {...rest} />
    </Window>
  );
}

const DAYS = ["1", "3", "7", "30"] as const;
type Days = (typeof DAYS)[number];

function Form({ onClose, onMade }: Omit<FormProps, "isOpen">) {
  const t = useTexts(invitationsTexts);
  const [note, setNote] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [days, setDays] = useState<Days>("3");
  const make = useSubmission({
    mutationFn: () =>
      makeInvitation({ role, expires_in_hours: 24 * Number(days), note: note.trim() || null }),
    onSuccess: (made) => {
      onClose();
      onMade(made);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <form className="form" onSubmit={submit}>
      <TextField
        {...{ label: t("note"), hint: t("note_hint"), value: note, onChange: setNote }}
        autoFocus
      />
      <RoleChoice value={role} onChange={setRole} />
      <Choice<Days>
        {...{ label: t("ends"), value: days, onChange: setDays }}
        options={DAYS.map((value) => ({ value, text: t("ends_days", { count: Number(value) }) }))}
      />
      {make.isError && <Refusal title={t("add_failed")} text={make.error.message} />}
      <FormEnd onLeave={onClose} action={t("add")} isBusy={make.isPending} />
    </form>
  );
}

import { ROLES, type Role } from "../../../wire/permission.ts";
import { useTexts } from "../../text/i18n.ts";
import { Choice } from "../field.tsx";
import { roleTexts } from "./texts.ts";

/** A role in a word. */
export function RoleName({ role }: { role: Role }) {
  return useTexts(roleTexts)(role);
}

/** What somebody may, with what that means. */
export function RoleChoice(props: { value: Role; onChange(role: Role): void }) {
  const t = useTexts(roleTexts);
  return (
    <Choice<Role>
      {...{ ...props, label: t("title"), hint: t(`${props.value}_hint`) }}
      options={ROLES.map((value) => ({ value, text: t(value) }))}
    />
  );
}

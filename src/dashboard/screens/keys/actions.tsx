import type { KeyView, MadeKeyAnswer } from "../../../wire/account.ts";
import { Confirm } from "../../parts/dialog.tsx";
import { sayDone } from "../../parts/toast.tsx";
import { useTexts } from "../../text/i18n.ts";
import { removeKey, revokeKey, rotateKey } from "./calls.ts";
import { keysTexts } from "./texts.ts";

type Action = "rotate" | "revoke" | "delete";

/** An action, and the key that it is about. */
export type KeyAction = { action: Action; key: KeyView };

/** What can be done with a key. */
export function actionsOf({ status }: KeyView): readonly Action[] {
  return status === "active" ? ["rotate", "revoke", "delete"] : ["delete"];
}

interface QuestionProps {
  asked: KeyAction | undefined;
  onClose(): void;
  onMade(made: MadeKeyAnswer): void;
}

/** Asks before programs that use a key stop working. */
export function KeyQuestion({ asked, onClose, onMade }: QuestionProps) {
  const t = useTexts(keysTexts);
  if (asked === undefined) return null;
  const { action, key } = asked;
  const { id, name } = key;
  const run = async () => {
    if (action === "rotate") return onMade(await rotateKey(id));
    if (action === "revoke") {
      await revokeKey(id);
      return sayDone(t("revoked", { name }));
    }
    await removeKey(id);
    return sayDone(t("deleted", { name }));
  };
  return (
    <Confirm
      {...{ isOpen: true, onClose, run, action: t(action), failure: t(`${action}_failed`) }}
      {...{ title: t(`${action}_title`, { name }), text: t(`${action}_text`, { name }) }}
    />
  );
}

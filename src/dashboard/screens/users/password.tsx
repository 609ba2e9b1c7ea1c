import type { MadeUserAnswer } from "../../../wire/account.ts";
import { SecretWindow } from "../../parts/secret.tsx";
import { useTexts } from "../../text/i18n.ts";
import { usersTexts } from "./texts.ts";

interface MadePasswordProps {
  made: MadeUserAnswer | undefined;
  onClose(): void;
}

/** A password that was made up: the one time that it is shown. */
export function MadePassword({ made, onClose }: MadePasswordProps) {
  const t = useTexts(usersTexts);
  const name = made?.username ?? "";
  return (
    <SecretWindow
      {...{ title: t("made", { name }), text: t("made_text", { name }), onClose }}
      secret={made?.generated_password}
    />
  );
}

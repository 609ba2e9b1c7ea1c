import type { MadeUserAnswer } from "../../../wire/account.ts";
import { Button } from "../../parts/button.tsx";
import { CopyText } from "../../parts/copy.tsx";
import { Window } from "../../parts/dialog.tsx";
import { useTexts } from "../../text/i18n.ts";
import { usersTexts } from "./texts.ts";

interface MadePasswordProps {
  made: MadeUserAnswer | undefined;
  onClose(): void;
}

/** A password that was made up: the one time that it is shown. */
export function MadePassword({ made, onClose }: MadePasswordProps) {
  const t = useTexts(usersTexts);
  const password = made?.generated_password;
  const name = made?.username ?? "";
  return (
    <Window title={t("made", { name })} isOpen={password !== undefined} onClose={onClose}>
      <p className="note is-warn">{t("made_text", { name })}</p>
      {password !== undefined && <CopyText text={password} />}
      <div className="row is-end">
        <Button kind="primary" onClick={onClose}>
          {t("made_done")}
        </Button>
      </div>
    </Window>
  );
}

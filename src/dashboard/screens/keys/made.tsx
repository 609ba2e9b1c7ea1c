import type { MadeKeyAnswer } from "../../../wire/account.ts";
import { Button } from "../../parts/button.tsx";
import { CopyText } from "../../parts/copy.tsx";
import { Window } from "../../parts/dialog.tsx";
import { useTexts } from "../../text/i18n.ts";
import { keysTexts } from "./texts.ts";

/** The text of a key that was made just now: the one time that it is shown. */
export function MadeKey({ made, onClose }: { made: MadeKeyAnswer | undefined; onClose(): void }) {
  const t = useTexts(keysTexts);
  return (
    <Window title={t("made")} isOpen={made !== undefined} onClose={onClose}>
      <p className="note is-warn">{t("made_text")}</p>
      {made !== undefined && <CopyText text={made.key} />}
      <div className="row is-end">
        <Button kind="primary" onClick={onClose}>
          {t("done")}
        </Button>
      </div>
    </Window>
  );
}

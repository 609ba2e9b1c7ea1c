import { useTexts } from "../text/i18n.ts";
import { Button } from "./button.tsx";
import { CopyText } from "./copy.tsx";
import { Window } from "./dialog.tsx";
import { partsTexts } from "./texts.ts";

interface SecretWindowProps {
  title: string;
  /** What is to be done with it. */
  text: string;
  /** What is shown; undefined: the window is closed. */
  secret: string | undefined;
  onClose(): void;
}

/** What was made just now: the one time that it is shown. */
export function SecretWindow({ title, text, secret, onClose }: SecretWindowProps) {
  const t = useTexts(partsTexts);
  return (
    <Window title={title} isOpen={secret !== undefined} onClose={onClose} isKept>
      <p className="note is-warn">{text}</p>
      {secret !== undefined && <CopyText text={secret} />}
      <div className="row is-end">
        <Button kind="primary" onClick={onClose}>
          {t("kept")}
        </Button>
      </div>
    </Window>
  );
}

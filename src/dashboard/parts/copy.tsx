import { useTexts } from "../text/i18n.ts";
import { Button } from "./button.tsx";
import { partsTexts } from "./texts.ts";
import { sayDone, sayFailed } from "./toast.tsx";

/** A text to be taken along, with a button that copies it. */
export function CopyText({ text }: { text: string }) {
  return (
    <div className="copy">
      <pre className="code">{text}</pre>
      <CopyButton text={text} />
    </div>
  );
}

/** A button that copies a text. */
function CopyButton({ text, label }: { text: string; label?: string }) {
  const t = useTexts(partsTexts);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      sayDone(t("copied"));
    } catch {
      sayFailed(t("copy"), t("copy_failed"));
    }
  };
  return (
    <Button icon="copy" onClick={() => void copy()}>
      {label ?? t("copy")}
    </Button>
  );
}

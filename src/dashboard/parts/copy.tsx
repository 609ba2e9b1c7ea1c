import { useTexts } from "../text/i18n.ts";
import { Button } from "./button.tsx";
import { partsTexts } from "./texts.ts";
import { sayDone, sayFailed } from "./toast.tsx";

/** A text to be taken along, with a button that copies it; `shown` stands for what is too long. */
export function CopyText({ text, shown = text }: { text: string; shown?: string }) {
  const t = useTexts(partsTexts);
  const copy = useCopy();
  return (
    <div className="copy">
      <pre className="code">{shown}</pre>
      <Button icon="copy" onClick={() => copy(text)}>
        {t("copy")}
      </Button>
    </div>
  );
}

/** A word that copies a text. */
export function CopyLink({ text }: { text: string }) {
  const t = useTexts(partsTexts);
  const copy = useCopy();
  return (
    <button type="button" className="link" onClick={() => copy(text)}>
      {t("copy")}
    </button>
  );
}

/** Copies a text, and says so. */
function useCopy(): (text: string) => void {
  const t = useTexts(partsTexts);
  return (text) => {
    // Without TLS browsers have no clipboard for pages, but on their own machine.
    const copied = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error());
    copied.then(
      () => sayDone(t("copied")),
      () => sayFailed(t("copy"), t("copy_failed")),
    );
  };
}

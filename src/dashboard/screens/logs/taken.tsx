import { Button } from "../../parts/button.tsx";
import { download } from "../../parts/download.ts";
import type { LogLine } from "../../parts/log/buffer.ts";
import { lineText } from "../../parts/log/text.ts";
import { sayDone, sayFailed } from "../../parts/toast.tsx";
import { useTexts } from "../../text/i18n.ts";
import { logsTexts } from "./texts.ts";

interface TakenProps {
  lines: readonly LogLine[];
}

/** Copies the lines that are shown, as text. */
export function CopyLines({ lines }: TakenProps) {
  const t = useTexts(logsTexts);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(`${lines.map(lineText).join("\n")}\n`);
      sayDone(t("copied", { count: lines.length }));
    } catch {
      sayFailed(t("copy_failed"), t("copy_refused"));
    }
  };
  return (
    <Button icon="copy" disabled={lines.length === 0} onClick={() => void copy()}>
      {t("copy")}
    </Button>
  );
}

/** Saves the lines that are shown as a file, a JSON object in each line. */
export function ExportLines({ lines }: TakenProps) {
  const t = useTexts(logsTexts);
  const save = () => {
    const texts = lines.map(({ number: _number, ...entry }) => `${JSON.stringify(entry)}\n`);
    const time = (lines.at(-1)?.timestamp ?? "").replaceAll(":", "");
    download(`llmlb-log-${time}.ndjson`, texts, "application/x-ndjson");
  };
  return (
    <Button disabled={lines.length === 0} onClick={save}>
      {t("export")}
    </Button>
  );
}

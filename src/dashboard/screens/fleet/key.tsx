import { useTexts } from "../../text/i18n.ts";
import { fleetTexts } from "./texts.ts";

/** What the parts of the picture mean. */
export function Key() {
  const t = useTexts(fleetTexts);
  return (
    <ul className="fleet-key" aria-label={t("key")}>
      <li>
        <span className="swatch is-loaded ink ink-0 pattern-0" />
        {t("key_loaded")}
      </li>
      <li>
        <span className="swatch is-loading ink ink-0" />
        {t("key_loading")}
      </li>
      <li>
        <span className="swatch is-other" />
        {t("key_rest")}
      </li>
      <li>
        <span className="swatch is-free" />
        {t("key_free")}
      </li>
      <li>
        <span className="slot-cell ink ink-0 is-lit" />
        {t("key_busy")}
      </li>
      <li>
        <span className="slot-cell" />
        {t("key_idle")}
      </li>
    </ul>
  );
}

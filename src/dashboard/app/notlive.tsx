import { useEffect, useState } from "react";
import { useMay } from "../api/account.ts";
import { useIsLive } from "../live/stream.ts";
import { useTexts } from "../text/i18n.ts";
import { appTexts } from "./texts.ts";

/** A connection that is made again within this was never missed. */
const AFTER_MS = 4000;

/** Says that what is shown may be old, while nothing tells what happens. */
export function NotLive() {
  const t = useTexts(appTexts);
  const may = useMay();
  const isLive = useIsLive();
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (isLive) return undefined;
    const timer = setTimeout(() => setLate(true), AFTER_MS);
    return () => clearTimeout(timer);
  }, [isLive]);
  if (isLive || !isLate || !may("endpoints.read")) return null;
  return (
    <div className="note is-warn not-live" role="status">
      <strong>{t("not_live")}</strong> {t("unreachable_text")}
    </div>
  );
}

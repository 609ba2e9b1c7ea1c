import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { errorMessage } from "../../lib/errormessage.ts";
import { Button } from "../parts/button.tsx";
import { Empty } from "../parts/states.tsx";
import { useTexts } from "../text/i18n.ts";
import { appTexts } from "./texts.ts";

/** What stands in place of a screen that broke. */
export function ScreenError({ error, reset }: ErrorComponentProps) {
  const t = useTexts(appTexts);
  return (
    <Empty title={t("broken")} text={errorMessage(error)}>
      <Button onClick={reset}>{t("again")}</Button>
      <Button onClick={() => location.reload()}>{t("reload")}</Button>
    </Empty>
  );
}

/** What stands where no screen is. */
export function NotFound() {
  const t = useTexts(appTexts);
  return (
    <Empty title={t("not_found")} text={location.pathname}>
      <Link to="/" className="button">
        {t("home")}
      </Link>
    </Empty>
  );
}

import { type ReactNode, useState } from "react";
import { logOut, useMe } from "../api/account.ts";
import { Button } from "../parts/button.tsx";
import { Empty } from "../parts/states.tsx";
import { useTexts } from "../text/i18n.ts";
import { forgetInvitation, invitationInAddress, invitationLink } from "./invitationlink.ts";
import { appTexts } from "./texts.ts";

/** Asks somebody who is logged in what to do with the invitation that he has opened. */
export function Invited({ children }: { children: ReactNode }) {
  const t = useTexts(appTexts);
  const me = useMe();
  const [code, setCode] = useState(invitationInAddress);
  const user = me.data?.access === "required" ? me.data.user : null;
  if (code === undefined || user === null) return children;
  const stay = () => {
    forgetInvitation();
    setCode(undefined);
  };
  return (
    <Empty title={t("invited", { name: user.username })} text={t("invited_text")}>
      <Button onClick={stay}>{t("invited_stay")}</Button>
      <Button kind="primary" onClick={() => void logOut(invitationLink(code))}>
        {t("invited_log_out")}
      </Button>
    </Empty>
  );
}

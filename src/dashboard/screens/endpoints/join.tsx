import { useQuery } from "@tanstack/react-query";
import { EnrolmentTokenAnswer } from "../../../wire/enrolment.ts";
import { call } from "../../api/call.ts";
import { CopyText } from "../../parts/copy.tsx";
import { Window } from "../../parts/dialog.tsx";
import { Loaded } from "../../parts/states.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { endpointsTexts } from "./texts.ts";

/** The command by which another machine joins, with a token that was made for it. */
export function JoinWindow({ isOpen, onClose }: { isOpen: boolean; onClose(): void }) {
  const t = useTexts(endpointsTexts);
  return (
    <Window title={t("join")} isOpen={isOpen} onClose={onClose}>
      <JoinCommand />
    </Window>
  );
}

function JoinCommand() {
  const t = useTexts(endpointsTexts);
  const { time } = useFormat();
  const token = useQuery({
    queryKey: ["enrolment-token"],
    queryFn: () => call(EnrolmentTokenAnswer, "POST /api/enrolment-tokens", { body: {} }),
    // Made once each time the window is opened, and never kept.
    ...{
      gcTime: 0,
      staleTime: Number.POSITIVE_INFINITY,
      retry: false,
      refetchOnWindowFocus: false,
    },
  });
  return (
    <Loaded query={token}>
      {({ token: text, expires_at }) => (
        <>
          <p className="muted">{t("join_text", { time: time(expires_at) })}</p>
          <CopyText text={`llmlb node --host 0.0.0.0 --join ${location.origin} --token ${text}`} />
        </>
      )}
    </Loaded>
  );
}

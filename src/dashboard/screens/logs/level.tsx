import { useQuery } from "@tanstack/react-query";
import { LogLevelBody } from "../../../wire/log.ts";
import { useMay } from "../../api/account.ts";
import { call } from "../../api/call.ts";
import { queries } from "../../api/queries.ts";
import { useSubmission } from "../../api/submission.ts";
import { sayDone, sayFailed } from "../../parts/toast.tsx";
import { useTexts } from "../../text/i18n.ts";
import { logsTexts } from "./texts.ts";

const KEY = ["log level"];
const LEVELS = LogLevelBody.shape.level.options;
type Level = LogLevelBody["level"];

/** The least severe level that the balancer writes, and its local node; it can be changed. */
export function WrittenLevel() {
  const t = useTexts(logsTexts);
  const may = useMay();
  const { data } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => call(LogLevelBody, "GET /api/log/level", { signal }),
  });
  const change = useSubmission({
    mutationFn: (level: Level) => call(LogLevelBody, "POST /api/log/level", { body: { level } }),
    onSuccess: (now) => {
      queries.setQueryData(KEY, now);
      sayDone(t("written_done", now), t("written_done_text"));
    },
    onError: (error) => sayFailed(t("written_failed"), error),
  });
  if (data === undefined) return null;
  return (
    <label className="filter-day">
      <span>{t("written")}</span>
      <select
        className="input"
        value={data.level}
        disabled={!may("endpoints.manage") || change.isPending}
        onChange={(event) => change.mutate(event.target.value as Level)}
      >
        {LEVELS.map((level) => (
          <option key={level}>{level}</option>
        ))}
      </select>
    </label>
  );
}

import { Link, useNavigate } from "@tanstack/react-router";
import { useTexts } from "../../text/i18n.ts";
import { Panel } from "../page.tsx";
import type { LogLine } from "./buffer.ts";
import { lineKey } from "./text.ts";
import { logTexts } from "./texts.ts";
import { useLogFeed } from "./usefeed.ts";
import { LogView } from "./view.tsx";

const LINES = 100;

/** The end of an endpoint's log. */
export function LogEnd({ source }: { source: string }) {
  const t = useTexts(logTexts);
  const log = useLogFeed({ source, limit: LINES });
  const navigate = useNavigate();
  const open = (line: LogLine) => {
    void navigate({ to: "/logs", search: { source, line: lineKey(line) } as never });
  };
  const more = (
    <Link to="/logs" search={{ source } as never}>
      {t("open")}
    </Link>
  );
  return (
    <Panel>
      <div className="log-end">
        <LogView title={t("log")} log={log} actions={() => more} onOpen={open} />
      </div>
    </Panel>
  );
}

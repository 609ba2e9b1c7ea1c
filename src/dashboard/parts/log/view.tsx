import type { ReactNode } from "react";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../badge.tsx";
import { Button } from "../button.tsx";
import { Empty, Loaded } from "../states.tsx";
import type { LogLine } from "./buffer.ts";
import type { LogState } from "./feed.ts";
import { LogLines } from "./lines.tsx";
import { logTexts } from "./texts.ts";
import { type LogPause, usePause } from "./usepause.ts";

interface LogViewProps {
  /** Stands before all. */
  title?: string;
  log: LogState & { retry(): void };
  /** What is marked in the lines. */
  search?: string;
  /** Stands where there are no lines. Default: that nothing was logged. */
  empty?: ReactNode;
  /** Beside what the log is doing. Called with what is shown. */
  actions?(lines: readonly LogLine[]): ReactNode;
  onOpen(line: LogLine): void;
}

/** A log that is followed: its lines, whether new ones come, and how to stop and go on. */
export function LogView({ title, log, search = "", empty, actions, onOpen }: LogViewProps) {
  const t = useTexts(logTexts);
  const pause = usePause(log);
  const { lines, isPaused, newCount, resume, onFollowing } = pause;
  const { isLoaded, error, dropped, retry } = log;
  return (
    <>
      <div className="panel-head log-head">
        <div className="row">
          {title !== undefined && <h2>{title}</h2>}
          <LogStatus log={log} pause={pause} />
        </div>
        <div className="row">{actions?.(lines)}</div>
      </div>
      {dropped > 0 && (
        <div className="log-note" role="status">
          {t("dropped", { count: dropped })}
        </div>
      )}
      <Loaded query={{ data: isLoaded ? lines : undefined, error, refetch: retry }}>
        {() =>
          lines.length === 0 ? (
            (empty ?? <Empty title={t("empty")} />)
          ) : (
            <div className="log-place">
              <LogLines {...{ lines, search, onOpen, onFollowing }} isFollowing={!isPaused} />
              {isPaused && (
                <div className="log-newest">
                  <Button icon="down" onClick={resume}>
                    {newCount > 0 ? t("newest_new", { count: newCount }) : t("newest")}
                  </Button>
                </div>
              )}
            </div>
          )
        }
      </Loaded>
    </>
  );
}

/** Whether new lines come, how many there are, and the button that stops them. */
function LogStatus({ log, pause }: { log: LogState; pause: LogPause }) {
  const t = useTexts(logTexts);
  const { count } = useFormat();
  const { isLive, isLoaded, error } = log;
  const waits = isLoaded || error !== null ? "not_live" : "connecting";
  return (
    <>
      <span role="status">
        {pause.isPaused ? (
          <Badge tone="quiet">{t("paused")}</Badge>
        ) : (
          <Badge tone={isLive ? "ok" : "warn"}>{isLive ? t("live") : t(waits)}</Badge>
        )}
      </span>
      <Button
        disabled={!isLoaded}
        onClick={() => (pause.isPaused ? pause.resume() : pause.pause())}
      >
        {pause.isPaused ? t("resume") : t("pause")}
      </Button>
      <span className="muted number log-count">
        {t("lines", { count: pause.lines.length, replace: { count: count(pause.lines.length) } })}
      </span>
    </>
  );
}

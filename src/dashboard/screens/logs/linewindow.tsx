import { Link } from "@tanstack/react-router";
import { useRef } from "react";
import { Button } from "../../parts/button.tsx";
import { CopyText } from "../../parts/copy.tsx";
import { Window } from "../../parts/dialog.tsx";
import type { LogLine } from "../../parts/log/buffer.ts";
import { Level } from "../../parts/log/line.tsx";
import { cleaned, fieldRows, lineOfKey, stampOf } from "../../parts/log/text.ts";
import { Facts } from "../../parts/page.tsx";
import { Empty, Loading } from "../../parts/states.tsx";
import { useTexts } from "../../text/i18n.ts";
import { logsTexts } from "./texts.ts";

interface LineWindowProps {
  lines: readonly LogLine[];
  isLoaded: boolean;
  /** Of the line that is open; "" is none. */
  lineKey: string;
  onClose(): void;
  /** Shows only lines with a text. */
  onSearch(text: string): void;
}

/** One line of a log with all that it says. */
export function LineWindow(props: LineWindowProps) {
  const { lines, isLoaded, lineKey, onClose, onSearch } = props;
  const t = useTexts(logsTexts);
  // Newer lines push it out of the log while it is read.
  const shown = useRef<{ key: string; line: LogLine } | undefined>(undefined);
  const kept = shown.current?.key === lineKey ? shown.current.line : undefined;
  const line = kept ?? (lineKey === "" ? undefined : lineOfKey(lines, lineKey));
  if (line !== undefined) shown.current = { key: lineKey, line };
  return (
    <Window
      title={line === undefined ? t("gone") : cleaned(line.message)}
      {...{ isOpen: lineKey !== "", onClose }}
    >
      {line !== undefined && <LineDetail {...{ line, onSearch }} />}
      {line === undefined && (isLoaded ? <Empty title={t("gone_text")} /> : <Loading />)}
    </Window>
  );
}

function LineDetail({ line, onSearch }: { line: LogLine } & Pick<LineWindowProps, "onSearch">) {
  const t = useTexts(logsTexts);
  const { day, time, ms } = stampOf(line.timestamp);
  const { number: _number, ...entry } = line;
  const requestId = line.fields.request_id;
  return (
    <>
      <Facts
        facts={[
          [t("level"), <Level key="level" level={line.level} />],
          [
            t("time"),
            <time key="time" className="number" dateTime={line.timestamp} title={line.timestamp}>
              {day} {time}
              {ms}
            </time>,
          ],
        ]}
      />
      <FieldTable rows={fieldRows(line.fields)} />
      {typeof requestId === "string" && (
        <div className="row">
          <Button onClick={() => onSearch(requestId)}>{t("only_request")}</Button>
        </div>
      )}
      <details className="fold">
        <summary>{t("json")}</summary>
        <CopyText text={JSON.stringify(entry, undefined, 2)} />
      </details>
    </>
  );
}

function FieldTable({ rows }: { rows: ReturnType<typeof fieldRows> }) {
  const t = useTexts(logsTexts);
  if (rows.length === 0) return null;
  return (
    <table className="log-fields">
      <thead>
        <tr>
          <th scope="col">{t("field")}</th>
          <th scope="col">{t("value")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{cleaned(name)}</th>
            <td>
              {name === "request_id" ? (
                <Link to="/requests/$id" params={{ id: value } as never}>
                  {value}
                </Link>
              ) : (
                value
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

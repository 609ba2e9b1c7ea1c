import { memo } from "react";
import type { LogSeverity } from "../../../lib/logentry.ts";
import type { LogLine } from "./buffer.ts";
import { cleaned, fieldsText, piecesOf, stampOf } from "./text.ts";

interface LineProps {
  line: LogLine;
  /** What is marked in it. */
  search: string;
}

/** A line of a log: when, how severe, what, and its fields as far as there is room. */
export const LineText = memo(function LineText({ line, search }: LineProps) {
  const { timestamp, level, message, fields } = line;
  const { day, time, ms } = stampOf(timestamp);
  return (
    <>
      <span className="log-time">
        <span className="log-day">{day} </span>
        {time}
        <span className="log-ms">{ms}</span>
      </span>
      <Level level={level} />
      <span className="log-text">
        <span className="log-event">
          <Marked text={cleaned(message)} search={search} />
        </span>{" "}
        <Marked text={fieldsText(fields)} search={search} />
      </span>
    </>
  );
});

/** The level of a line, in its own word. */
export function Level({ level }: { level: LogSeverity }) {
  return <span className={`log-level is-${level}`}>{level}</span>;
}

function Marked({ text, search }: { text: string; search: string }) {
  return piecesOf(text, search).map((piece, at) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: they have no other names
    piece.isFound ? <mark key={at}>{piece.text}</mark> : <span key={at}>{piece.text}</span>,
  );
}

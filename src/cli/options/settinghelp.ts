import { envName, type Field } from "../../config/fields/field.ts";
import { fieldOf } from "../../config/fields.ts";
import type { Mode } from "../../config/mode.ts";
import { formatQuantity } from "../../config/units.ts";
import { settingsOfMode } from "./modesettings.ts";

const INDENT = "  ";
const WIDTH = 100;

/** The help of a mode's settings: by group, with flag, meaning, default and variable of each. */
export function settingsHelp(mode: Mode): string {
  const fields = settingsOfMode(mode).map(fieldOf);
  const width = Math.max(...fields.map((field) => flagsText(field).length));
  const groups = Map.groupBy(fields, (field) => field.group);
  return [...groups]
    .map(([group, members]) =>
      [`${group}:`, ...members.flatMap((field) => fieldLines(field, mode, width))].join("\n"),
    )
    .join("\n\n");
}

function fieldLines(field: Field, mode: Mode, width: number): string[] {
  const lead = INDENT.length + width + 2;
  const detail = [defaultText(field, mode), envName(field)]
    .filter((part) => part !== "")
    .join(", ");
  const lines = wrap(`${field.help} (${detail})`, WIDTH - lead);
  return lines.map((line, i) =>
    i === 0 ? `${INDENT}${flagsText(field).padEnd(width)}  ${line}` : " ".repeat(lead) + line,
  );
}

function flagsText({ flags }: Field): string {
  if (flags === undefined) return "    -- <arguments>";
  return flags.startsWith("--") ? `    ${flags}` : flags;
}

function defaultText(field: Field, mode: Mode): string {
  // The folder of a user who has none is asked for in vain.
  const value = field.name === "home" ? undefined : field.fallback(mode);
  if (field.name === "mode" || field.fallbackText === "none" || value === false) return "";
  if (field.name === "port" && mode !== "standalone") return `default ${value}`;
  if (field.fallbackText !== undefined) return `default ${field.fallbackText}`;
  return `default ${formatQuantity(value, field.unit)}`;
}

/** The text in lines of at most `width` characters, broken between words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** How settings are given; the help shows it below them. */
export const SETTINGS_NOTE = `Every setting can be given as a flag (--log-level debug), as an \
environment variable
(LLMLB_LOG_LEVEL=debug) and in <home>/config.json ({"log_level": "debug"}); the first of these wins.
Times: 500ms, 30s, 10m. Sizes: 512KiB, 64MiB. Lists in variables: commas or JSON.`;

import { envName, type Field } from "../config/fields/field.ts";
import { PROVIDER_FIELDS } from "../config/fields/providers.ts";
import { PROXY_FIELDS } from "../config/fields/proxies.ts";
import { FIELD_KEYS, type FieldKey, fieldOf } from "../config/fields.ts";
import type { Mode } from "../config/mode.ts";
import { formatBytes, formatDuration } from "../config/units.ts";

const JOINING: FieldKey[] = ["join", "token", "name", "advertise"];

const CLOUD_KEYS = Object.keys(PROVIDER_FIELDS) as FieldKey[];

const PROXY_KEYS = Object.keys(PROXY_FIELDS) as FieldKey[];

/** Settings that mean nothing in a mode; its command does not take them. */
const UNUSED: Record<Mode, FieldKey[]> = {
  standalone: [],
  balancer: [...JOINING, "mode", "nodePort", "models", "mmproj", "engineArgs", "loadTimeoutMs"],
  node: [
    "mode",
    "nodePort",
    "endpoints",
    "healthIntervalMs",
    "healthTimeoutMs",
    ...CLOUD_KEYS,
    ...PROXY_KEYS,
  ],
};

/** The settings that a command for this mode takes, in the order of the help. */
export function settingsOf(mode: Mode): FieldKey[] {
  return FIELD_KEYS.filter((key) => !UNUSED[mode].includes(key));
}

const INDENT = "  ";
const WIDTH = 100;

/** The part of the help about settings: per group the flag, what it does, default, variable. */
export function settingsHelp(mode: Mode): string {
  const fields = settingsOf(mode).map(fieldOf);
  const width = Math.max(...fields.map((field) => flagsOf(field).length));
  const groups = Map.groupBy(fields, (field) => field.group);
  return [...groups]
    .map(([group, members]) =>
      [`${group}:`, ...members.flatMap((field) => entry(field, mode, width))].join("\n"),
    )
    .join("\n\n");
}

function entry(field: Field, mode: Mode, width: number): string[] {
  const lead = INDENT.length + width + 2;
  const detail = [defaultOf(field, mode), envName(field)].filter((part) => part !== "").join(", ");
  const lines = wrap(`${field.help} (${detail})`, WIDTH - lead);
  return lines.map((line, i) =>
    i === 0 ? `${INDENT}${flagsOf(field).padEnd(width)}  ${line}` : " ".repeat(lead) + line,
  );
}

function flagsOf({ flags }: Field): string {
  if (flags === undefined) return "    -- <arguments>";
  return flags.startsWith("--") ? `    ${flags}` : flags;
}

function defaultOf(field: Field, mode: Mode): string {
  const value = field.fallback(mode);
  if (field.name === "mode" || field.fallbackText === "none" || value === false) return "";
  if (field.name === "port" && mode !== "standalone") return `default ${value}`;
  if (field.fallbackText !== undefined) return `default ${field.fallbackText}`;
  if (typeof value !== "number" || field.unit === undefined) return `default ${value}`;
  return `default ${field.unit === "ms" ? formatDuration(value) : formatBytes(value)}`;
}

function wrap(text: string, width: number): string[] {
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

/** How settings can be given; stands below them. */
export const SETTINGS_NOTE = `Every setting can be given as a flag (--log-level debug), as an \
environment variable
(LLMLB_LOG_LEVEL=debug) and in <home>/config.json ({"log_level": "debug"}); the first of these wins.
Times: 500ms, 30s, 10m. Sizes: 512KiB, 64MiB. Lists in variables: commas or JSON.`;

export const SERVE_EXAMPLES = `Examples:
  llmlb                                              try it with the small built-in model
  llmlb --model qwen3-4b.gguf                        serve a model of your own
  llmlb --model qwen3-4b.gguf -- --ctx-size 16384    with arguments of llama-server
  llmlb --model vision.gguf --mmproj mmproj.gguf     with images
  llmlb -e http://gpu1:8080 -e big=http://gpu2:8000  balance over other servers as well
  llmlb node --host 0.0.0.0 -m q.gguf \\
    --join http://balancer:32768 --token enrol_…     a node for a balancer elsewhere`;

export const CHAT_EXAMPLES = `
Examples:
  llmlb chat                                   talk; /help there shows more
  llmlb chat Why is the sky blue?              one question
  git diff | llmlb chat Summarise this change  a question about what is piped in
  llmlb chat --image cat.png What is this?     about a picture
  llmlb chat --url http://gpu1:8080 Hello      with another OpenAI-compatible server`;

export const ROOT_NOTES = `Environment for chat and status:
  LLMLB_URL      Server to talk to (default: the llmlb that runs from this home)
  LLMLB_API_KEY  Key to send to it
  NO_COLOR       No colours

Exit status: 0 success, 1 error, 2 wrong usage or setting, 3 no connection.`;

import { isRunSetting, type RunSettings, readRunSettings } from "../../../wire/runsettings.ts";

/** The settings that have fields of their own. */
export const COMMON = [
  ...([
    "ctx_size",
    "parallel",
    "gpu_layers",
    "flash_attn",
    "cache_type_k",
    "cache_type_v",
  ] as const),
  ...(["keep_alive", "pin", "model_draft", "lora"] as const),
] as const;
export type CommonName = (typeof COMMON)[number];

/** What is in the form: a text for each field, "" for what is not set. */
export type SettingsDraft = Record<CommonName, string> & {
  /** All others, a line each: `temp=0.2`, `mlock`. */
  more: string;
};

/** What a form asks for, or what is wrong with which of its fields. */
export type SettingsChange =
  | { settings: Record<string, unknown> }
  | { faults: Partial<Record<keyof SettingsDraft, string>> };

/** The form of settings as they are. */
export function draftOf(settings: RunSettings | null): SettingsDraft {
  const { args = [], ...named } = settings ?? {};
  const entries = Object.entries(named).map(([name, value]) => [name, textOf(value)] as const);
  const texts = new Map(entries);
  const common = Object.fromEntries(COMMON.map((name) => [name, texts.get(name) ?? ""]));
  const others = entries.filter(([name]) => !isCommon(name)).map((entry) => entry.join("="));
  const more = [...others, ...linesOf(args)].map(escaped).join("\n");
  return { ...(common as Record<CommonName, string>), more };
}

/** What has to be sent so that settings become what the form says: null takes one back. */
export function changeOf(draft: SettingsDraft, before: RunSettings | null): SettingsChange {
  const { named, args, faults } = readMore(draft.more);
  const settings: Record<string, unknown> = {};
  const take = (field: keyof SettingsDraft, given: Record<string, unknown>) => {
    const read = readRunSettings({ ...settings, ...given });
    // A field's own name stands above it.
    const own = `${field}: `;
    const isOwn = typeof read === "string" && read.startsWith(own);
    if (typeof read === "string") faults[field] ??= isOwn ? read.slice(own.length) : read;
    else Object.assign(settings, read);
  };
  for (const name of COMMON) {
    if (draft[name].trim() !== "") take(name, { [name]: givenOf(name, draft[name].trim()) });
  }
  for (const [name, text] of named) {
    // What is there already would be replaced without a word.
    const isTwice = isTaken(settings, name);
    if (isTwice) faults.more ??= `${name}: is there twice`;
    else take("more", { [name]: givenOf(name, text) });
  }
  if (args.length > 0) settings.args = args;
  if (Object.keys(faults).length > 0) return { faults };
  const gone = Object.keys(before ?? {}).filter((name) => !(name in settings));
  return { settings: { ...settings, ...Object.fromEntries(gone.map((name) => [name, null])) } };
}

/** The field that a refusal by the server is about, if it says so. */
export function fieldOf(message: string): keyof SettingsDraft {
  const name = /`settings`: ([a-z_]+)\b/.exec(message)?.[1] ?? "";
  return isCommon(name) ? name : "more";
}

function isCommon(name: string): name is CommonName {
  return (COMMON as readonly string[]).includes(name);
}

function isTaken(settings: Record<string, unknown>, name: string): boolean {
  const alone = readRunSettings({ [name]: null }, { nullable: true });
  return typeof alone !== "string" && Object.keys(alone).some((one) => one in settings);
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join(", ") : String(value);
}

function givenOf(name: string, text: string): unknown {
  if (/^-*lora$|^-*workers?$/.test(name)) {
    return text.split(",").map((part) => part.trim());
  }
  return /^-*pin(ned)?$/.test(name) ? (YES_NO[text.toLowerCase()] ?? text) : text;
}

const YES_NO: Record<string, boolean> = { true: true, false: false };

/** Reads lines: settings by their names, everything else arguments of llama-server. */
function readMore(text: string) {
  const named: [name: string, text: string][] = [];
  const args: string[] = [];
  const faults: Partial<Record<keyof SettingsDraft, string>> = {};
  for (const line of text.split("\n").map((one) => unescaped(one.trim()))) {
    if (line === "") continue;
    const at = line.indexOf("=");
    const name = (at < 0 ? line : line.slice(0, at)).trim();
    const value = at < 0 ? undefined : line.slice(at + 1).trim();
    if (name === "" && value !== undefined) args.push(value);
    else if (!/^-{0,2}[A-Za-z][\w.-]*$/.test(name)) faults.more ??= `${line}: ${NOT_A_LINE}`;
    else if (value !== undefined && isRunSetting(name)) named.push([name, value]);
    else args.push(flagOf(name), ...(value === undefined ? [] : [value]));
  }
  return { named, args, faults };
}

/** A value of several lines stands in one. */
function escaped(line: string): string {
  return line.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function unescaped(line: string): string {
  return line.replace(/\\([n\\])/g, (_, sign) => (sign === "n" ? "\n" : "\\"));
}

const NOT_A_LINE = "must be name=value, or the name of a flag of llama-server";

function flagOf(name: string): string {
  return name.startsWith("-") ? name : `--${name.replaceAll("_", "-")}`;
}

/** Arguments as lines: a flag with its value; what is more stands behind `=` alone. */
function linesOf(args: readonly string[]): string[] {
  const lines: string[] = [];
  let isOpen = false;
  for (const arg of args) {
    if (/^--?[A-Za-z]/.test(arg)) {
      lines.push(arg);
      isOpen = true;
    } else if (isOpen) {
      lines[lines.length - 1] += `=${arg}`;
      isOpen = false;
    } else lines.push(`=${arg}`);
  }
  return lines;
}
